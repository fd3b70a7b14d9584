"""Names for annotations: every class that a signature of striate speaks of and that `striate` itself does not offer.

What the public functions take and give is in `striate`; these are what is inside of that, such as a summary's rows.
"""

from striate.allocator import MemorySetting
from striate.analysis import Comparison, EffectiveField, Entry, Latency, Row
from striate.analysis.gradients import Gradients, LayerGradient
from striate.classifier.advice import Advice, Plan
from striate.classifier.classifier import One
from striate.classifier.prediction import LabelsPrediction, ValuesPrediction
from striate.classifier.running import Vectors
from striate.data import Images, NearPair, Place, Sizes, Skipped, Survey
from striate.data.checkup import Checkup
from striate.data.facts import Facts
from striate.data.finding import Finding
from striate.engines import Predictor
from striate.errors import Interrupted
from striate.experiments import Outcome, Results
from striate.files import Checksum
from striate.models import Handed, Paper
from striate.models.budget import Cost
from striate.models.by_numbers import Step
from striate.models.erratum import Erratum, Measured
from striate.models.forms import Coefficients, Form, Forms
from striate.models.recommendation import Recommendation
from striate.models.scaling import Scaled
from striate.training.gain import Gain
from striate.training.label_metrics import LabelScore, MultiLabelEvaluation
from striate.training.metrics import Calibration, ClassScore, Confusion
from striate.training.model_file import Description
from striate.training.schedules import Schedule
from striate.training.tasks import Task
from striate.training.value_metrics import RegressionEvaluation, ValueScore
from striate.training.watch import Watching
from striate.transfer.decision import Decision, Kin
from striate.transfer.evidence import Evidence
from striate.transfer.probing import Forecast, Probe
from striate.weights import Figure, WeightSource

__all__ = [
    "Advice",
    "Calibration",
    "Checksum",
    "Checkup",
    "ClassScore",
    "Coefficients",
    "Comparison",
    "Confusion",
    "Cost",
    "Decision",
    "Description",
    "EffectiveField",
    "Entry",
    "Erratum",
    "Evidence",
    "Facts",
    "Figure",
    "Finding",
    "Forecast",
    "Form",
    "Forms",
    "Gain",
    "Gradients",
    "Handed",
    "Images",
    "Interrupted",
    "Kin",
    "LabelScore",
    "LabelsPrediction",
    "Latency",
    "LayerGradient",
    "Measured",
    "MemorySetting",
    "MultiLabelEvaluation",
    "NearPair",
    "One",
    "Outcome",
    "Paper",
    "Place",
    "Plan",
    "Predictor",
    "Probe",
    "Recommendation",
    "RegressionEvaluation",
    "Results",
    "Row",
    "Scaled",
    "Schedule",
    "Sizes",
    "Skipped",
    "Step",
    "Survey",
    "Task",
    "ValueScore",
    "ValuesPrediction",
    "Vectors",
    "Watching",
    "WeightSource",
]
