"""What scikit-learn asks an estimator about itself."""

from typing import Any


def tags(kind: str) -> Any:
    """Make the tags of a "classifier" or a "regressor"; needs scikit-learn, which asks for them."""
    from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

    return Tags(
        estimator_type=kind,
        target_tags=TargetTags(required=True),
        transformer_tags=None,
        classifier_tags=ClassifierTags() if kind == "classifier" else None,
        regressor_tags=RegressorTags() if kind == "regressor" else None,
        input_tags=InputTags(),
    )
