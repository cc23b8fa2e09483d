import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";
import { ecr } from "../api/ecr";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { go, href } from "../app/router";
import { useSession } from "../app/session";
import { repositoryNameProblem } from "../pure/names";
import { DEFAULT_ENCRYPTION, EncryptionFields, encryptionInput } from "../ui/encryption-fields";
import { Failure } from "../ui/feedback";
import { DEFAULT_MUTABILITY, isMutabilityFine, MutabilityFields, mutabilityInput } from "../ui/mutability-fields";
import { TagFields, tagProblem, toTags, type TagRow } from "../ui/tag-fields";

export default function CreateRepository() {
  const { client, identity, region } = useSession();
  const notices = useNotices();
  const [name, setName] = useState("");
  const [mutability, setMutability] = useState(DEFAULT_MUTABILITY);
  const [encryption, setEncryption] = useState(DEFAULT_ENCRYPTION);
  const [scanOnPush, setScanOnPush] = useState(false);
  const [tags, setTags] = useState<TagRow[]>([]);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  usePage("Create repository", ["Private registry", "#/repositories"], ["Repositories", "#/repositories"]);

  const nameProblem = repositoryNameProblem(name);
  const needsKey = encryption.type !== "AES256" && encryption.ownKey && !encryption.key;
  const submit = async () => {
    setTried(true);
    if (nameProblem || tagProblem(tags) || needsKey || !isMutabilityFine(mutability)) return;
    setBusy(true);
    setError(undefined);
    try {
      await ecr(client, "CreateRepository", {
        repositoryName: name,
        ...mutabilityInput(mutability),
        encryptionConfiguration: encryptionInput(encryption),
        imageScanningConfiguration: { scanOnPush },
        tags: tags.length ? toTags(tags) : undefined,
      });
      notices.success(`Repository ${name} is created`, "Push an image to it: “View push commands” says how.");
      go(href("repositories", name));
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };

  return (
    <ContentLayout header={<Header variant="h1">Create private repository</Header>}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}
      >
        <Form
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" href="#/repositories">
                Cancel
              </Button>
              <Button variant="primary" loading={busy}>
                Create
              </Button>
            </SpaceBetween>
          }
        >
          <SpaceBetween size="l">
            {error !== undefined && <Failure error={error} />}
            <Container header={<Header variant="h2">General settings</Header>}>
              <SpaceBetween size="l">
                <FormField
                  label="Repository name"
                  description="A name may have parts, such as a team or a project: team/app."
                  constraintText={`${name.length} of 256 characters. Lowercase letters, digits, and . _ - /`}
                  errorText={(tried || name.length > 1) && name !== "" ? nameProblem : tried && nameProblem}
                  stretch
                >
                  <div className="prefixed">
                    <Box color="text-body-secondary" variant="span">
                      <span className="mono">
                        {identity.account}.dkr.ecr.{region}…/
                      </span>
                    </Box>
                    <Input value={name} onChange={({ detail }) => setName(detail.value.trim())} placeholder="team/app" spellcheck={false} autoFocus ariaLabel="Repository name" />
                  </div>
                </FormField>
                <MutabilityFields value={mutability} onChange={setMutability} />
              </SpaceBetween>
            </Container>
            <Container header={<Header variant="h2">Encryption settings</Header>}>
              <EncryptionFields value={encryption} onChange={setEncryption} showNeighbors />
              {tried && needsKey && <Box color="text-status-error">Name the key, or use the default one.</Box>}
            </Container>
            <Container header={<Header variant="h2">Image scanning settings</Header>}>
              <FormField description="As in Amazon ECR this is superseded by the registry's scanning configuration, and kept for scripts that set it.">
                <Toggle checked={scanOnPush} onChange={({ detail }) => setScanOnPush(detail.checked)}>
                  Scan on push
                </Toggle>
              </FormField>
            </Container>
            <Container header={<Header variant="h2" description="To find, group and permit repositories by. At most 50.">Repository tags - optional</Header>}>
              <SpaceBetween size="xs">
                <TagFields rows={tags} onChange={setTags} />
                {tried && tagProblem(tags) && <Box color="text-status-error">{tagProblem(tags)}</Box>}
              </SpaceBetween>
            </Container>
          </SpaceBetween>
        </Form>
      </form>
    </ContentLayout>
  );
}
