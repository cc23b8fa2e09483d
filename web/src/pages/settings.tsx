// Private registry, Features & Settings.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import { useState } from "react";
import { ecr } from "../api/ecr";
import { berth, type Summary } from "../api/sharing";
import { useNotices } from "../app/notices";
import { usePage } from "../app/page";
import { useSession } from "../app/session";
import { bytes, percent } from "../pure/format";
import { Confirm } from "../ui/confirm";
import { useLoad } from "../ui/data";
import { Details } from "../ui/details";
import { Failure, Loading } from "../ui/feedback";
import { SavedBar } from "../ui/saved";
import { ScanningCard } from "../ui/scanning-card";

export default function Settings() {
  const { client, identity, region } = useSession();
  usePage("Features & Settings", ["Private registry", "#/repositories"]);
  const summary = useLoad((signal) => berth(client, "GetSharingSummary", {}, signal), [client]);
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={`Registry ${identity.account} in ${region}. Each account and Region has settings of its own.`}>
          Features &amp; Settings
        </Header>
      }
    >
      <SpaceBetween size="l">
        <BlobMounting summary={summary.data} onChange={summary.reload} />
        <MountPolicy summary={summary.data} />
        <AccountSettings />
        <ScanningCard />
      </SpaceBetween>
    </ContentLayout>
  );
}

function BlobMounting({ summary, onChange }: { summary?: Summary; onChange(): void }) {
  const { client, region } = useSession();
  const notices = useNotices();
  const [asking, setAsking] = useState(false);
  const { data, error, reload } = useLoad(async (signal) => (await ecr(client, "GetAccountSetting", { name: "BLOB_MOUNTING" }, signal)).value, [client]);
  const isOn = data === "ENABLED";
  const set = async (value: "ENABLED" | "DISABLED") => {
    await ecr(client, "PutAccountSetting", { name: "BLOB_MOUNTING", value });
    notices.success(
      value === "ENABLED" ? "Blob mounting is enabled" : "Blob mounting is disabled",
      value === "ENABLED"
        ? `Pushes to this registry in ${region} share layers from now on.`
        : "New pushes no longer mount layers. Images that were pushed with mounted layers keep working.",
    );
    reload();
    onChange();
  };
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Let repositories of this registry share layers, instead of pushing and storing the same bytes again in each."
          actions={
            data && (
              <Button variant={isOn ? "normal" : "primary"} onClick={() => setAsking(true)}>
                {isOn ? "Disable" : "Enable"}
              </Button>
            )
          }
        >
          Blob mounting
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <SpaceBetween size="m">
          <Details
            columns={3}
            items={[
              ["Status", isOn ? <StatusIndicator type="success">Enabled</StatusIndicator> : <StatusIndicator type="stopped">Disabled</StatusIndicator>],
              [
                "Saved so far",
                summary ? (
                  <Link href="#/sharing">
                    {bytes(summary.savedBytes)} ({percent(summary.savedBytes, summary.logicalBytes)} of {bytes(summary.logicalBytes)})
                  </Link>
                ) : (
                  "-"
                ),
              ],
              ["In the registry", summary ? <SavedBar sums={summary} /> : "-"],
            ]}
          />
          <div>
            <Box variant="p">
              When a client pushes an image and names a repository that has some of its layers already, the registry adds those layers to the target by
              reference. Pushes are quicker, and each layer is stored once.
            </Box>
            <Box variant="h3" padding={{ top: "s" }}>
              A layer is mounted when
            </Box>
            <ul className="plain-list">
              <li>both repositories are in the same registry, that is the same account and Region;</li>
              <li>both have the identical encryption configuration: type and key;</li>
              <li>
                whoever pushes has the permission <code>ecr:GetDownloadUrlForLayer</code> on the source repository;
              </li>
              <li>the layer did not come from a pull through cache.</li>
            </ul>
            <Box variant="p" padding={{ top: "s" }}>
              In all other cases the layer is pushed as usual, so a push never fails because of it.
            </Box>
          </div>
          {!isOn && (
            <Alert type="info" action={<Button href="#/sharing/estimate">What would it save?</Button>}>
              Berth writes down what each push could have mounted, so you can see what enabling saves before you do it.
            </Alert>
          )}
        </SpaceBetween>
      )}
      {asking && (
        <Confirm
          header={isOn ? "Disable blob mounting" : "Enable blob mounting"}
          button={isOn ? "Disable" : "Enable"}
          onClose={() => setAsking(false)}
          onConfirm={() => set(isOn ? "DISABLED" : "ENABLED")}
        >
          {isOn
            ? "New pushes will upload every layer again. Layers that are shared now stay shared, and their images keep working."
            : `It holds for all repositories of this registry in ${region}, from the next push on. Existing images are not changed.`}
        </Confirm>
      )}
    </Container>
  );
}

function MountPolicy({ summary }: { summary?: Summary }) {
  return (
    <Container header={<Header variant="h2" description="Which layers may be mounted. Set by the server's operator with --mount-policy; it cannot be changed here.">Mount policy</Header>}>
      {!summary ? (
        <Loading />
      ) : summary.mountPolicy === "ecr" ? (
        <Details
          columns={1}
          items={[
            ["Policy", "As Amazon ECR (ecr)"],
            ["What it means", "Only layers that an image of the source names are mounted, nothing from a pull through cache, and the client has to name the source. For rehearsing what ECR will do."],
          ]}
        />
      ) : (
        <Details
          columns={1}
          items={[
            ["Policy", "As the OCI specification says (oci)"],
            ["What it means", "Every layer that the source holds can be mounted. When the client names no source, Berth looks for one among the repositories that the caller may read."],
          ]}
        />
      )}
    </Container>
  );
}

const OTHERS: { name: string; label: string; what: string }[] = [
  { name: "BASIC_SCAN_TYPE_VERSION", label: "Basic scanning version", what: "Which scanner basic scanning uses." },
  { name: "REGISTRY_POLICY_SCOPE", label: "Registry policy scope", what: "V2: the registry policy holds for every action." },
];

function AccountSettings() {
  const { client } = useSession();
  const { data, error, reload } = useLoad(
    (signal) => Promise.all(OTHERS.map(async (s) => (await ecr(client, "GetAccountSetting", { name: s.name }, signal)).value)),
    [client],
  );
  return (
    <Container header={<Header variant="h2" description="Kept for scripts and Terraform modules that set them; ECR allows one value of each today.">Other account settings</Header>}>
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        <Loading />
      ) : (
        <Details
          columns={2}
          items={OTHERS.map((s, i) => [
            s.label,
            <>
              <span className="mono">{data[i]}</span>
              <Box color="text-body-secondary">{s.what}</Box>
            </>,
          ])}
        />
      )}
    </Container>
  );
}

