"""Where the portal's values are, which most incidents of the portal change."""

VALUES = "infrastructure/backstage/values.yaml"
