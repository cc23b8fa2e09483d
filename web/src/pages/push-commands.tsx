import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Tabs from "@cloudscape-design/components/tabs";
import { ecr } from "../api/ecr";
import { useSession } from "../app/session";
import { pushSteps, skopeoSteps, type Step } from "../pure/push";
import { Command } from "../ui/copy";
import { useLoad } from "../ui/data";
import { Failure, Loading } from "../ui/feedback";

function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol className="steps">
      {steps.map((s) => (
        <li key={s.command}>
          <SpaceBetween size="xxs">
            <span>{s.text}</span>
            <Command text={s.command} what={`Command: ${s.text}`} />
          </SpaceBetween>
        </li>
      ))}
    </ol>
  );
}

export default function PushCommands({ name, onClose }: { name: string; onClose(): void }) {
  const { client, region } = useSession();
  const { data, error } = useLoad(
    async (signal) => (await ecr(client, "DescribeRepositories", { repositoryNames: [name] }, signal)).repositories![0]!,
    [name],
  );
  const target = data && { uri: data.repositoryUri!, region, endpoint: location.origin };
  return (
    <Modal
      visible
      size="large"
      header={`Push commands for ${name}`}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            Close
          </Button>
        </Box>
      }
    >
      {error !== undefined && <Failure error={error} />}
      {!target && error === undefined && <Loading />}
      {target && (
        <Tabs
          ariaLabel="Ways to push"
          tabs={[
            { id: "docker", label: "Docker", content: <Steps steps={pushSteps(target)} /> },
            { id: "skopeo", label: "Skopeo", content: <Steps steps={skopeoSteps(target)} /> },
          ]}
        />
      )}
    </Modal>
  );
}
