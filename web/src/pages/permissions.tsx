// The registry's own policy.

import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import { ecr } from "../api/ecr";
import { usePage } from "../app/page";
import { useSession } from "../app/session";
import { registryPolicyExamples } from "../pure/policy";
import { orNone, PolicySection } from "../ui/policy-section";

export default function Permissions() {
  const { client, identity, region } = useSession();
  usePage("Permissions", ["Private registry", "#/repositories"]);
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={`Registry ${identity.account} in ${region}. The policies of single repositories are on their pages.`}>
          Permissions
        </Header>
      }
    >
      <PolicySection
        title="Registry policy"
        description="Holds for every repository of the registry, and for who may replicate or create here."
        empty="No other account has access by a policy of the registry."
        limit={10240}
        examples={registryPolicyExamples(identity.account, region)}
        deps={[client]}
        load={async (signal) => (await orNone(ecr(client, "GetRegistryPolicy", {}, signal), "RegistryPolicyNotFoundException"))?.policyText}
        save={(policyText) => ecr(client, "PutRegistryPolicy", { policyText })}
        remove={() => ecr(client, "DeleteRegistryPolicy", {})}
      />
    </ContentLayout>
  );
}
