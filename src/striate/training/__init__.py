"""Training: recipes, the loop, schedules, checkpoints, the run folder and the figures."""

from striate.training.metrics import Evaluation
from striate.training.recipes import RECIPES, Recipe, get_recipe

__all__ = ["RECIPES", "Evaluation", "Recipe", "get_recipe"]
