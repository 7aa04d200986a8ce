"""The report on a model: one page of HTML that draws on nothing outside of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubeflow_demo_components.training.charts import MOST_CURVES, agreement_chart, importance_chart, roc_chart
from kubeflow_demo_components.training.evaluation import Evaluation

_MEANINGS = {
    "accuracy": "share of the rows whose class was predicted right",
    "f1": "precision and recall of a class in one number; mean over the classes",
    "roc_auc": "how well rows of a class are ranked above the others; 0.5 is chance",
    "r2": "share of the target's variance that is predicted; 1 is all of it",
    "mean_absolute_error": "how far off a row is on average, in the target's unit",
    "root_mean_squared_error": "the same, with far misses counted more",
}
_TEMPLATE = Path(__file__).with_name("report_page.html")
_MOST_CLASSES = 12
"""More make a matrix that nobody reads."""
_MOST_COLUMNS = 10
"""Of which the importance is shown."""
_MOST_ROWS = 2000
"""By which it is measured."""


def report_page(evaluation: Evaluation, *, title: str, target: str) -> str:
    """The page as HTML: the same for the same evaluation. Whatever comes from data is escaped by the template."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - the parser is read where it is not installed

    template = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).from_string(_TEMPLATE.read_text(encoding="utf-8"))
    name, score = next(iter(evaluation.metrics.items()))
    return template.render(
        title=title,
        target=target,
        estimator=type(evaluation.model[-1]).__name__,
        rows=len(evaluation.actual),
        columns=len(evaluation.features.columns),
        score_name=_words(name),
        score=score,
        metrics=[(_words(key), value, _MEANINGS[key]) for key, value in evaluation.metrics.items()],
        matrix=_matrix(evaluation),
        charts=_charts(evaluation, target),
        versions=_versions(),
    )


def _words(name: str) -> str:
    return {"roc_auc": "ROC AUC", "r2": "R²", "f1": "F1"}.get(name, name.replace("_", " "))


def _matrix(evaluation: Evaluation) -> dict[str, Any] | None:
    """How many rows of each class were predicted to be of each, with their share in percent."""
    if not 0 < len(evaluation.classes) <= _MOST_CLASSES:
        return None
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415 - see above

    counts = confusion_matrix(evaluation.actual, evaluation.predicted, labels=list(evaluation.classes)).tolist()
    names = [str(name) for name in evaluation.classes]
    rows = [
        (name, [(count, round(100 * count / max(1, sum(row))), at == number) for at, count in enumerate(row)])
        for number, (name, row) in enumerate(zip(names, counts, strict=True))
    ]
    return {"names": names, "rows": rows}


def _charts(evaluation: Evaluation, target: str) -> list[tuple[str, str, str]]:
    """Heading, explanation and drawing of each. The drawings are SVG, whose texts matplotlib has escaped."""
    importances = _importances(evaluation)
    shown = "the ten that count most" if len(evaluation.features.columns) > _MOST_COLUMNS else "the largest first"
    charts = [
        (
            "What the model goes by",
            f"How much of the score is lost where the values of one column are shuffled: {shown}.",
            importance_chart(importances),
        )
    ]
    if "roc_auc" in evaluation.metrics:
        text = "The more rows of a class are to be found, the more others are taken for it. The dashed line is chance."
        if len(evaluation.classes) > MOST_CURVES:
            text += f" Of {len(evaluation.classes)} classes the first {MOST_CURVES}."
        drawing = roc_chart(evaluation.actual, evaluation.likelihoods, evaluation.classes)
        charts.insert(0, ("ROC curve", text, drawing))
    elif not evaluation.classes:
        text = "Each row as predicted, against what it is. On the dashed line the two agree."
        charts.insert(0, ("Predictions", text, agreement_chart(evaluation.actual, evaluation.predicted, target)))
    return charts


def _importances(evaluation: Evaluation) -> dict[str, float]:
    """Of the columns that count most, the largest first."""
    from sklearn.inspection import permutation_importance  # noqa: PLC0415 - see above

    features, actual = evaluation.features, evaluation.actual
    most = min(_MOST_ROWS, len(features))
    measured = permutation_importance(evaluation.model, features, actual, n_repeats=5, random_state=0, max_samples=most)
    pairs = zip(map(str, features.columns), measured.importances_mean.tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1])[:_MOST_COLUMNS])


def _versions() -> str:
    import sklearn  # noqa: PLC0415 - see above

    from kubeflow_demo_components import DISTRIBUTION, __version__  # noqa: PLC0415 - reads the distribution's metadata

    return f"{DISTRIBUTION} {__version__}, scikit-learn {sklearn.__version__}"
