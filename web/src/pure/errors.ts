// Failures, for people: what happened, and what to do now. The server's own sentence stays, the code never does.

export interface Words {
  title: string;
  text: string;
  isDenied?: boolean;
}

interface Failure {
  code: string;
  message: string;
  operation?: string;
}

const HEADINGS: Record<string, string> = {
  AccessDeniedException: "You are not allowed to do this",
  AccessDenied: "You are not allowed to do this",
  NetworkError: "The server cannot be reached",
  ThrottlingException: "The server is busy",
  RepositoryNotFoundException: "There is no such repository",
  ImageNotFoundException: "There is no such image",
  LayersNotFoundException: "There is no such layer",
  RepositoryAlreadyExistsException: "The repository exists already",
  RepositoryNotEmptyException: "The repository still contains images",
  InvalidParameterException: "Something in the input is not right",
  ValidationException: "Something in the input is not right",
  InvalidTagParameterException: "A tag is not right",
  TooManyTagsException: "Too many tags",
  LimitExceededException: "A limit is reached",
  KmsException: "The key cannot be used",
  ServerException: "The server failed",
  InternalFailure: "The server failed",
  UnsupportedOperationException: "Not available in this version of Berth",
  UnknownOperationException: "Not available in this version of Berth",
  LifecyclePolicyPreviewInProgressException: "A preview is running already",
  TemplateAlreadyExistsException: "There is a template for this prefix already",
};

export function failureWords(e: unknown): Words {
  const failure = e as Partial<Failure>;
  if (typeof failure?.code !== "string") {
    return { title: "Something went wrong in the console", text: e instanceof Error ? e.message : String(e) };
  }
  const code = failure.code;
  const isDenied = /AccessDenied/.test(code);
  let text = plain(failure.message ?? "");
  if (code === "NetworkError") text = "Is Berth still running? Nothing was changed. Try again when it answers.";
  else if (isDenied) text = deniedText(failure.message ?? "", failure.operation);
  else if (!text) text = "The server gave no reason.";
  return { title: HEADINGS[code] ?? "The server refused", text, isDenied };
}

/** "User: arn is not authorized to perform: ecr:X on resource: arn because ..." -> who lacks what. */
function deniedText(message: string, operation?: string): string {
  const m = /User: (\S+) is not authorized to perform: (\S+)(?: on resource: (\S+?))?(?: because (.+))?\.?$/.exec(message);
  if (!m) return plain(message) || `Your access key has no permission for ${operation ?? "this"}.`;
  const [, who, action, resource, why] = m;
  const on = resource && resource !== "*" ? ` on ${resource.split(":repository/")[1] ?? resource}` : "";
  return `${who} has no permission ${action}${on}${why ? `: ${why}` : ""}. Ask whoever manages this registry for it.`;
}

/** ECR wraps sentences of its validation in more sentences; the last is the one that helps. */
export function plain(message: string): string {
  const m = /failed to satisfy constraint: '(.*)'$/s.exec(message);
  return (m?.[1] ?? message).trim();
}
