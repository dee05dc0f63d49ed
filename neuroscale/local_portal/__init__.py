"""The portal without a cluster: Gitea, PostgreSQL and Backstage as processes of this machine, as their images have them."""
