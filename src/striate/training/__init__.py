"""Training: recipes, the loop, schedules, checkpoints, the run folder and the figures."""

from striate.training.metrics import Evaluation
from striate.training.recipes import Recipe
from striate.training.shelf import RECIPES, get_recipe

__all__ = ["RECIPES", "Evaluation", "Recipe", "get_recipe"]
