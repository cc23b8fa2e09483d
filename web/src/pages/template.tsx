// Creates a template, or edits one.

import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Checkbox from "@cloudscape-design/components/checkbox";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useState } from "react";
import { ecr, type Template } from "../api/ecr";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { go } from "../app/router";
import { useSession } from "../app/session";
import { problems } from "../pure/lifecycle";
import { templatePrefixProblem } from "../pure/names";
import { jsonProblem, pretty } from "../pure/policy";
import { DEFAULT_ENCRYPTION, EncryptionFields, encryptionInput } from "../ui/encryption-fields";
import { useLoad } from "../ui/data";
import { Failure, Loading } from "../ui/feedback";
import { isMutabilityFine, MutabilityFields, mutabilityInput, mutabilityValue } from "../ui/mutability-fields";
import { TagFields, tagProblem, toRows, toTags } from "../ui/tag-fields";
import { APPLIED } from "./templates";

type Applied = NonNullable<Template["appliedFor"]>[number];

export default function TemplatePage({ prefix }: { prefix?: string }) {
  const { client } = useSession();
  usePage(prefix === undefined ? "Create template" : `Template ${prefix}`, ["Private registry", "#/repositories"], ["Repository creation templates", "#/templates"]);
  const { data, error, reload } = useLoad(
    async (signal) =>
      prefix === undefined ? null : (await ecr(client, "DescribeRepositoryCreationTemplates", { prefixes: [prefix] }, signal)).repositoryCreationTemplates?.[0] ?? null,
    [client, prefix],
  );
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return <Loading />;
  return <Editor template={data ?? undefined} />;
}

function Editor({ template }: { template?: Template }) {
  const { client } = useSession();
  const notices = useNotices();
  const [prefix, setPrefix] = useState(template?.prefix ?? "");
  const [description, setDescription] = useState(template?.description ?? "");
  const [applied, setApplied] = useState<readonly Applied[]>(template?.appliedFor ?? ["CREATE_ON_PUSH"]);
  const [mutability, setMutability] = useState(mutabilityValue(template?.imageTagMutability, template?.imageTagMutabilityExclusionFilters));
  const old = template?.encryptionConfiguration;
  const [encryption, setEncryption] = useState(old ? { type: old.encryptionType!, ownKey: Boolean(old.kmsKey), key: old.kmsKey ?? "" } : DEFAULT_ENCRYPTION);
  const [tags, setTags] = useState(toRows(template?.resourceTags));
  const [policy, setPolicy] = useState(template?.repositoryPolicy ? pretty(template.repositoryPolicy) : "");
  const [lifecycle, setLifecycle] = useState(template?.lifecyclePolicy ? pretty(template.lifecyclePolicy) : "");
  const [role, setRole] = useState(template?.customRoleArn ?? "");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();

  const prefixProblem = template ? undefined : templatePrefixProblem(prefix);
  const policyProblem = policy.trim() ? jsonProblem(policy)?.message : undefined;
  const lifecycleProblem = lifecycle.trim() ? (jsonProblem(lifecycle)?.message ?? problems(JSON.parse(lifecycle))[0]) : undefined;
  const isFine = !prefixProblem && applied.length > 0 && !policyProblem && !lifecycleProblem && !tagProblem(tags) && isMutabilityFine(mutability);

  const save = async () => {
    setTried(true);
    if (!isFine) return;
    setBusy(true);
    setError(undefined);
    const input = {
      prefix: prefix.replace(/\/$/, ""),
      description,
      appliedFor: [...applied],
      ...mutabilityInput(mutability),
      encryptionConfiguration: encryptionInput(encryption),
      resourceTags: toTags(tags),
      repositoryPolicy: policy,
      lifecyclePolicy: lifecycle,
      customRoleArn: role || undefined,
    };
    try {
      await ecr(client, template ? "UpdateRepositoryCreationTemplate" : "CreateRepositoryCreationTemplate", input);
      notices.success(template ? `The template ${input.prefix} is saved` : `The template ${input.prefix} is created`);
      go("#/templates");
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };

  return (
    <ContentLayout header={<Header variant="h1">{template ? `Template ${template.prefix}` : "Create repository creation template"}</Header>}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void save();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" href="#/templates">
                Cancel
              </Button>
              <Button variant="primary" loading={busy}>
                {template ? "Save" : "Create"}
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {error !== undefined && <Failure error={error} />}
            <Container header={<Header variant="h2">When it applies</Header>}>
              <SpaceBetween size="m">
                {!template && (
                  <FormField
                    label="Prefix"
                    description="Repositories whose names begin with it and a slash. ROOT stands for all that no other template fits."
                    errorText={tried && prefixProblem}
                  >
                    <Input value={prefix} onChange={({ detail }) => setPrefix(detail.value.trim())} placeholder="team" autoFocus spellcheck={false} />
                  </FormField>
                )}
                <FormField label="Applied for" errorText={tried && applied.length === 0 && "Choose at least one."}>
                  {Object.entries(APPLIED).map(([id, label]) => (
                    <Checkbox
                      key={id}
                      checked={applied.includes(id as Applied)}
                      onChange={({ detail }) => setApplied(detail.checked ? [...applied, id as Applied] : applied.filter((a) => a !== id))}
                    >
                      {label}
                    </Checkbox>
                  ))}
                </FormField>
                <FormField label="Description - optional">
                  <Input value={description} onChange={({ detail }) => setDescription(detail.value)} />
                </FormField>
              </SpaceBetween>
            </Container>
            <Container header={<Header variant="h2">What the repositories get</Header>}>
              <SpaceBetween size="l">
                <MutabilityFields value={mutability} onChange={setMutability} />
                <EncryptionFields value={encryption} onChange={setEncryption} showNeighbors />
                <FormField label="Repository tags - optional" stretch errorText={tried && tagProblem(tags)}>
                  <TagFields rows={tags} onChange={setTags} />
                </FormField>
                <FormField label="Permissions policy - optional" errorText={policyProblem} stretch>
                  <div className="editor">
                    <Textarea value={policy} onChange={({ detail }) => setPolicy(detail.value)} rows={policy ? 10 : 3} spellcheck={false} placeholder="{ … }" />
                  </div>
                </FormField>
                <FormField label="Lifecycle policy - optional" errorText={lifecycleProblem} stretch>
                  <div className="editor">
                    <Textarea value={lifecycle} onChange={({ detail }) => setLifecycle(detail.value)} rows={lifecycle ? 10 : 3} spellcheck={false} placeholder="{ … }" />
                  </div>
                </FormField>
                <FormField label="Role - optional" description="The ARN of a role that creates the repository. ECR asks for it with tags or a KMS key.">
                  <Input value={role} onChange={({ detail }) => setRole(detail.value.trim())} placeholder="arn:aws:iam::…:role/…" spellcheck={false} />
                </FormField>
                {tried && !isFine && <Box color="text-status-error">Something above is not right yet.</Box>}
              </SpaceBetween>
            </Container>
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
