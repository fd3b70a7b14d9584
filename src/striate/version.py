"""The version, which run folders and model files record."""

__version__ = "0.1.0"
