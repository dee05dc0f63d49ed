"""The portal without a cluster: Gitea, PostgreSQL and Backstage as processes, made of what their images have."""
