"""Train the iris models that the platform serves, and write down what each of them answers.

``train.py --into FOLDER`` writes ``FOLDER/<version>/model.joblib`` for every version; ``train.py --golden`` writes
``golden.json`` beside this file. The data set comes with scikit-learn and every seed is fixed, so the same release of
scikit-learn gives the same answers again; the pickles themselves are for the model store and are not committed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import sklearn
from sklearn.datasets import load_iris
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

GOLDEN = Path(__file__).with_name("golden.json")
FILE = "model.joblib"
#: What is served, and what it is replaced by. They differ on flowers near the border of two species.
SERVED, NEXT = "1.0.0", "2.0.0"
#: For the suite only: a model that calls every species by another one's name, and a file that breaks off half-way.
SWAPPED, DAMAGED = "1.0.1-swapped", "1.0.1-damaged"
_PAIRS = {
    "the reference rows": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]],
    "the other pair": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]],
}


def train() -> dict[str, Any]:
    """Version -> trained model."""
    flowers, species = load_iris(return_X_y=True)
    return {
        SERVED: SVC().fit(flowers, species),
        NEXT: DecisionTreeClassifier(random_state=4).fit(flowers, species),
        SWAPPED: SVC().fit(flowers, (species + 1) % 3),
    }


def golden(models: dict[str, Any]) -> dict[str, Any]:
    """Inputs by name, and the class that each version gives to each row of them."""
    flowers, _ = load_iris(return_X_y=True)
    told_apart = flowers[models[SERVED].predict(flowers) != models[NEXT].predict(flowers)]
    inputs = {**_PAIRS, "the telling rows": told_apart.tolist(), "every flower": flowers.tolist()}
    outputs = {
        version: {name: model.predict(np.array(rows)).tolist() for name, rows in inputs.items()}
        for version, model in models.items()
    }
    return {"scikit-learn": sklearn.__version__, "inputs": inputs, "outputs": outputs}


def save(models: dict[str, Any], folder: Path) -> None:
    """Write each model, and the damaged file: the first half of the one that is served."""
    for version, model in models.items():
        (folder / version).mkdir(parents=True, exist_ok=True)
        joblib.dump(model, folder / version / FILE)
    whole = (folder / SERVED / FILE).read_bytes()
    (folder / DAMAGED).mkdir(exist_ok=True)
    (folder / DAMAGED / FILE).write_bytes(whole[: len(whole) // 2])


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description="Train the iris models.")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help=f"write <version>/{FILE} below this folder")
    parser.add_argument("--golden", action="store_true", help=f"write {GOLDEN.name}: what each version answers")
    arguments = parser.parse_args()
    models = train()
    if arguments.golden:
        GOLDEN.write_text(json.dumps(golden(models)) + "\n", encoding="utf-8")
    if arguments.into:
        save(models, arguments.into)


if __name__ == "__main__":
    main()
