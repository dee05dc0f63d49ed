"""What pytest loads first: the session's plugins and the steps. What they do is written where they live."""

pytest_plugins = [
    "suite.session",
    "suite.mutation",
    "suite.habits",
    "suite.built_first",
    "suite.local_portal",
    "suite.redaction",
    "suite.allure_results",
    "suite.recording",
    "suite.restarts",
    "steps.platform",
    "steps.gitops",
    "steps.repository",
    "steps.serving",
    "steps.kserve_client",
    "steps.guardrails",
    "steps.golden_path",
    "steps.pull_requests",
    "steps.local_portal",
    "steps.incidents",
    "steps.gate",
]
