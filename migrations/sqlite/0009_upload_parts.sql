-- Layer parts that came by the ECR API, which has a quota of them.
ALTER TABLE upload ADD COLUMN parts INTEGER NOT NULL DEFAULT 0;
