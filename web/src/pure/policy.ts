// Policies as text: finding the place of a mistake, and ready-made statements.

export interface JsonProblem {
  message: string;
  line?: number;
}

/** Whether text is a JSON object; else what is wrong, and where. */
export function jsonProblem(text: string): JsonProblem | undefined {
  if (!text.trim()) return { message: "The policy is empty." };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    const message = e instanceof Error ? e.message : String(e);
    const position = /position (\d+)/.exec(message)?.[1];
    const line = /line (\d+)/.exec(message)?.[1] ?? (position ? String(text.slice(0, Number(position)).split("\n").length) : undefined);
    const reason = message.replace(/^JSON\.parse: /, "").replace(/ (?:in JSON )?at (?:position|line) .*$/, "").replace(/, "[\s\S]*" is not valid JSON$/, "");
    return line ? { message: `Line ${line}: ${reason}.`, line: Number(line) } : { message: `Not valid JSON: ${reason}.` };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { message: "A policy is a JSON object: { ... }." };
  return undefined;
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

export interface Example {
  id: string;
  text: string;
  description: string;
  policy: object;
}

const PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"];
const PUSH = [
  "ecr:BatchCheckLayerAvailability",
  "ecr:BatchGetImage",
  "ecr:CompleteLayerUpload",
  "ecr:InitiateLayerUpload",
  "ecr:PutImage",
  "ecr:UploadLayerPart",
];

export function repositoryPolicyExamples(account: string): Example[] {
  return [
    {
      id: "pull",
      text: "Let another account pull",
      description: "Put in the account's number.",
      policy: {
        Version: "2012-10-17",
        Statement: [{ Sid: "AllowPull", Effect: "Allow", Principal: { AWS: "arn:aws:iam::111122223333:root" }, Action: PULL }],
      },
    },
    {
      id: "push",
      text: "Let a user push and pull",
      description: "Put in the user's name.",
      policy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AllowPushPull",
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${account}:user/builder` },
            Action: [...new Set([...PULL, ...PUSH])],
          },
        ],
      },
    },
    {
      id: "mount",
      text: "Let a user mount layers from here",
      description: "Reading the source is what a mount needs of it.",
      policy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AllowMountFrom",
            Effect: "Allow",
            Principal: { AWS: `arn:aws:iam::${account}:user/builder` },
            Action: ["ecr:GetDownloadUrlForLayer"],
          },
        ],
      },
    },
  ];
}

export function registryPolicyExamples(account: string, region: string): Example[] {
  return [
    {
      id: "pull-all",
      text: "Let another account pull everything",
      description: "Put in the account's number.",
      policy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AllowPullAll",
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::111122223333:root" },
            Action: PULL,
            Resource: `arn:aws:ecr:${region}:${account}:repository/*`,
          },
        ],
      },
    },
    {
      id: "replicate",
      text: "Let another account replicate to here",
      description: "ECR's statement for replication.",
      policy: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "AllowReplication",
            Effect: "Allow",
            Principal: { AWS: "arn:aws:iam::111122223333:root" },
            Action: ["ecr:CreateRepository", "ecr:ReplicateImage"],
            Resource: `arn:aws:ecr:${region}:${account}:repository/*`,
          },
        ],
      },
    },
  ];
}
