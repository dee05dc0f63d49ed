"""What pytest loads first: the session's plugins and the steps. What they do is written where they live."""

import pkgutil

import steps

pytest_plugins = [
    "suite.session",
    "suite.mutation",
    "suite.habits",
    "suite.built_first",
    "suite.local_portal",
    "suite.own_cluster",
    "suite.redaction",
    "suite.allure_results",
    "suite.recording",
    "suite.browser",
    "suite.restarts",
    "suite.delta_pairs",
    *(f"steps.{module.name}" for module in pkgutil.iter_modules(steps.__path__)),
]
