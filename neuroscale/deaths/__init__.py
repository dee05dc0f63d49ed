"""Death on the way of a form: what is killed when, here and on the cluster, and what comes of the form all the same."""
