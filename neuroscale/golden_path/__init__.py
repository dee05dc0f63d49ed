"""The golden path: a form in the portal, a pull request, a merge, a model that answers."""
