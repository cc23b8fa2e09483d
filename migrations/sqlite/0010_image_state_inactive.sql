-- Images that are archived or on their way back: most registries have none, and lists of tags need not look for each.
CREATE INDEX image_state_inactive ON image_state (image_id) WHERE status <> 1;
