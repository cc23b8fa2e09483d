// What becomes of old images: the rules in words and as JSON, and a preview before anything is deleted.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { ecr } from "../api/ecr";
import { useNotices } from "../app/notices";
import { useSession } from "../app/session";
import { time } from "../pure/format";
import { EXAMPLE, inWords, problems, type Policy, type Rule } from "../pure/lifecycle";
import { Confirm } from "../ui/confirm";
import { DataTable } from "../ui/data-table";
import { useLoad } from "../ui/data";
import { Empty, Failure, Loading } from "../ui/feedback";
import { LifecyclePreview } from "../ui/lifecycle-preview";
import { PolicyEditor } from "../ui/policy-editor";
import { orNone } from "../ui/policy-section";
import type { TabProps } from "./repository";

const DAYS = { countUnit: "days" as const };

const EXAMPLES: { id: string; text: string; description: string; policy: Policy }[] = [
  { id: "usual", text: "Untagged images after two weeks, and keep the last 30", description: "A good start.", policy: EXAMPLE },
  {
    id: "prod",
    text: "Keep 10 images of prod, delete others after 30 days",
    description: "By patterns of tags.",
    policy: {
      rules: [
        {
          rulePriority: 1,
          description: "Keep the last 10 of prod",
          selection: { tagStatus: "tagged", tagPatternList: ["prod*"], countType: "imageCountMoreThan", countNumber: 10 },
          action: { type: "expire" },
        },
        {
          rulePriority: 2,
          description: "Others go after 30 days",
          selection: { tagStatus: "any", countType: "sinceImagePushed", ...DAYS, countNumber: 30 },
          action: { type: "expire" },
        },
      ],
    },
  },
  {
    id: "archive",
    text: "Archive what nobody pulls",
    description: "And delete it from the archive after a year.",
    policy: {
      rules: [
        {
          rulePriority: 1,
          description: "Archive what was not pulled for 90 days",
          selection: { tagStatus: "any", countType: "sinceImagePulled", ...DAYS, countNumber: 90 },
          action: { type: "transition", targetStorageClass: "archive" },
        },
        {
          rulePriority: 2,
          description: "Delete after a year in the archive",
          selection: { tagStatus: "any", storageClass: "archive", countType: "sinceImageTransitioned", ...DAYS, countNumber: 365 },
          action: { type: "expire" },
        },
      ],
    },
  },
];

function parsed(text: string | undefined): Policy | undefined {
  if (!text) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return problems(value).length ? undefined : (value as Policy);
  } catch {
    return undefined;
  }
}

function Rules({ rules }: { rules: readonly Rule[] }) {
  return (
    <DataTable
      title="Rules"
      level="h3"
      variant="embedded"
      items={[...rules].sort((a, b) => a.rulePriority - b.rulePriority)}
      columns={[
        { id: "priority", header: "Priority", width: 90, cell: (r) => r.rulePriority },
        { id: "words", header: "What it does", isRowHeader: true, minWidth: 260, cell: (r) => inWords(r) },
        { id: "description", header: "Description", minWidth: 160, cell: (r) => r.description ?? "-" },
      ]}
      empty={<Empty title="No rules" />}
    />
  );
}

export default function RepositoryLifecycle({ repository }: TabProps) {
  const { client } = useSession();
  const notices = useNotices();
  const repositoryName = repository.repositoryName!;
  const [editing, setEditing] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [draft, setDraft] = useState<string>();
  const [preview, setPreview] = useState<{ text?: string; turn: number }>();
  const { data, error, reload } = useLoad(
    async (signal) => ({ policy: await orNone(ecr(client, "GetLifecyclePolicy", { repositoryName }, signal), "LifecyclePolicyNotFoundException") }),
    [client, repositoryName],
  );
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (!data) return <Loading />;
  const text = data.policy?.lifecyclePolicyText;
  const rules = parsed(editing ? draft : text)?.rules;
  const start = () => setPreview((p) => ({ text: editing ? draft : undefined, turn: (p?.turn ?? 0) + 1 }));
  const evaluated = data.policy?.lastEvaluatedAt;

  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description={
              evaluated
                ? `Last carried out ${time(evaluated)}.`
                : "Rules that delete or archive images by age, count or tag. They are carried out within 24 hours after an image meets one."
            }
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                {!editing && text && <Button onClick={() => setDeleting(true)}>Delete</Button>}
                {(editing || text) && (
                  <Button onClick={start} disabled={!rules}>
                    Preview
                  </Button>
                )}
                {!editing && (
                  <Button
                    variant={text ? "normal" : "primary"}
                    onClick={() => {
                      setDraft(text ?? JSON.stringify(EXAMPLE, null, 2));
                      setPreview(undefined);
                      setEditing(true);
                    }}
                  >
                    {text ? "Edit" : "Write a lifecycle policy"}
                  </Button>
                )}
              </SpaceBetween>
            }
          >
            Lifecycle policy
          </Header>
        }
      >
        <SpaceBetween size="m">
          {editing && (
            <PolicyEditor
              label="Rules, as JSON"
              saved={text}
              initial={draft}
              limit={30720}
              examples={EXAMPLES}
              problems={problems}
              onChange={setDraft}
              onCancel={() => setEditing(false)}
              onSave={async (lifecyclePolicyText) => {
                await ecr(client, "PutLifecyclePolicy", { repositoryName, lifecyclePolicyText });
                notices.success("The lifecycle policy is saved", "It is carried out within 24 hours.");
                setEditing(false);
                setPreview(undefined);
                reload();
              }}
            />
          )}
          {rules && <Rules rules={rules} />}
          {!editing && text && !rules && <Alert type="info">The policy is written in a way that this page cannot put into words. Edit shows it.</Alert>}
          {!editing && !text && <Empty title="No lifecycle policy">Images are kept until somebody deletes them.</Empty>}
        </SpaceBetween>
      </Container>
      {preview && <LifecyclePreview key={preview.turn} repositoryName={repositoryName} text={preview.text} />}
      {!preview && (text || editing) && (
        <Box color="text-body-secondary" textAlign="center">
          Preview shows which images the rules would take, and deletes nothing.
        </Box>
      )}
      {deleting && (
        <Confirm
          header="Delete the lifecycle policy"
          button="Delete"
          word="delete"
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await ecr(client, "DeleteLifecyclePolicy", { repositoryName });
            notices.success("The lifecycle policy is deleted");
            setPreview(undefined);
            reload();
          }}
        >
          From then on images are kept until somebody deletes them.
        </Confirm>
      )}
    </SpaceBetween>
  );
}
