import Box from "@cloudscape-design/components/box";
import { ecr } from "../api/ecr";
import { useNotices } from "../app/notices";
import { useSession } from "../app/session";
import { plural } from "../pure/format";
import { Confirm } from "../ui/confirm";

interface Props {
  repositories: readonly { repositoryName: string; images: number }[];
  onDone(): void;
  onClose(): void;
}

/** As ECR's console asks: the word, and what goes along. */
export default function DeleteRepository({ repositories, onDone, onClose }: Props) {
  const { client } = useSession();
  const notices = useNotices();
  const images = repositories.reduce((n, r) => n + r.images, 0);
  const one = repositories.length === 1 ? repositories[0]!.repositoryName : undefined;
  return (
    <Confirm
      header={one ? `Delete ${one}` : `Delete ${repositories.length} repositories`}
      word="delete"
      button="Delete"
      warning={images > 0 && `${plural(images, "image")} in ${one ? "this repository" : "these repositories"} will be deleted too. This cannot be undone.`}
      onConfirm={async () => {
        for (const r of repositories) await ecr(client, "DeleteRepository", { repositoryName: r.repositoryName, force: r.images > 0 });
        notices.success(one ? `Repository ${one} is deleted` : `${repositories.length} repositories are deleted`);
        onDone();
      }}
      onClose={onClose}
    >
      {one ? (
        <>
          Delete the repository <b>{one}</b> for good? Layers that other repositories share with it stay.
        </>
      ) : (
        <>
          Delete these repositories for good? Layers that others share with them stay.
          <Box margin={{ top: "xs" }}>
            <ul>
              {repositories.slice(0, 10).map((r) => (
                <li key={r.repositoryName}>{r.repositoryName}</li>
              ))}
              {repositories.length > 10 && <li>and {repositories.length - 10} more</li>}
            </ul>
          </Box>
        </>
      )}
    </Confirm>
  );
}
