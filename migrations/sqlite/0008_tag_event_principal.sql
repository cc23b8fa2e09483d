-- Who did it: an ARN, 'lifecycle' for a rule of the lifecycle policy, '' where nobody wrote it down.
ALTER TABLE tag_event ADD COLUMN principal TEXT NOT NULL DEFAULT '';
