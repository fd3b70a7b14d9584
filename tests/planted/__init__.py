"""What `faults.py` plants, by the part of the source."""
