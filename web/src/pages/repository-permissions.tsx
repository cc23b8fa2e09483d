import { ecr } from "../api/ecr";
import { useSession } from "../app/session";
import { repositoryPolicyExamples } from "../pure/policy";
import { orNone, PolicySection } from "../ui/policy-section";
import type { TabProps } from "./repository";

export default function RepositoryPermissions({ repository }: TabProps) {
  const { client, identity } = useSession();
  const repositoryName = repository.repositoryName!;
  return (
    <PolicySection
      title="Permissions"
      description="Who else may do what with this repository, beyond what their own policies allow."
      empty="Only principals of this account, by their own policies, have access."
      limit={10240}
      examples={repositoryPolicyExamples(identity.account)}
      deps={[client, repositoryName]}
      load={async (signal) => (await orNone(ecr(client, "GetRepositoryPolicy", { repositoryName }, signal), "RepositoryPolicyNotFoundException"))?.policyText}
      save={(policyText) => ecr(client, "SetRepositoryPolicy", { repositoryName, policyText })}
      remove={() => ecr(client, "DeleteRepositoryPolicy", { repositoryName })}
    />
  );
}
