// How a layer came to a repository.

import Link from "@cloudscape-design/components/link";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { Origin } from "../api/sharing";
import { href } from "../app/router";
import { origin as words } from "../pure/words";

export function OriginText({ origin, source }: { origin: Origin | undefined; source?: string }) {
  if (origin === "MOUNTED" && source) {
    return (
      <StatusIndicator type="success">
        Mounted from <Link href={href("repositories", source)}>{source}</Link>
      </StatusIndicator>
    );
  }
  if (origin === "MOUNTED") return <StatusIndicator type="success">{words(origin)}</StatusIndicator>;
  return <>{words(origin)}</>;
}
