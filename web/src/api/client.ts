// Signed calls: everything that the console asks goes through here, to the same public address that SDKs use.
//
// The SDK's own client for ECR would add 45 KB (compressed) to the first load and asks for crypto.subtle, which browsers
// withhold from plain http beyond localhost. So this signs with the SDK's signer and a hash in JavaScript, and takes only the
// SDK's types.

import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A refusal by the server, or a failure on the way to it (code "NetworkError"). */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
    readonly operation: string,
    readonly requestId?: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Codes after which the credentials at hand are of no use any more. */
const SESSION_OVER = new Set([
  "ExpiredTokenException",
  "ExpiredToken",
  "UnrecognizedClientException",
  "InvalidClientTokenId",
]);

const RETRIED = new Set(["ThrottlingException", "Throttling", "ServiceUnavailableException", "ServiceUnavailable"]);

export interface Target {
  service: "ecr" | "sts" | "iam" | "kms";
  operation: string;
  contentType: string;
  headers?: Record<string, string>;
  body: string;
  parseError(text: string, status: number): { code: string; message: string };
}

export class Client {
  /** Called once when the server no longer takes the credentials. */
  onSessionOver?: (error: ApiError) => void;
  private isOver = false;

  constructor(
    readonly credentials: Credentials,
    readonly region: string,
    private readonly endpoint: string = location.origin,
  ) {}

  /** The text of a successful answer. Waits and tries again when the server asks for that. */
  async send(target: Target, signal?: AbortSignal): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.sendOnce(target, signal);
      } catch (e) {
        if (!(e instanceof ApiError)) throw e;
        if (RETRIED.has(e.code) && attempt < 4) {
          await new Promise((done) => setTimeout(done, 200 * 2 ** attempt * (0.5 + Math.random())));
          continue;
        }
        if (SESSION_OVER.has(e.code) && this.onSessionOver && !this.isOver) {
          this.isOver = true;
          this.onSessionOver(e);
        }
        throw e;
      }
    }
  }

  private async sendOnce(target: Target, signal?: AbortSignal): Promise<string> {
    const url = new URL(this.endpoint);
    const signer = new SignatureV4({
      service: target.service,
      region: target.service === "iam" ? "us-east-1" : this.region,
      credentials: this.credentials,
      sha256: Sha256,
    });
    const signed = await signer.sign({
      method: "POST",
      protocol: url.protocol,
      hostname: url.hostname,
      path: "/",
      query: {},
      headers: { host: url.host, "content-type": target.contentType, ...target.headers },
      body: target.body,
    });
    const { host: _, ...headers } = signed.headers;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url.origin}/`, {
        method: "POST",
        headers,
        body: target.body,
        signal,
        credentials: "omit",
        cache: "no-store",
      });
      text = await response.text();
    } catch (e) {
      if (e instanceof DOMException && e.name === "AbortError") throw e;
      throw new ApiError("NetworkError", "The server cannot be reached.", 0, target.operation);
    }
    if (response.ok) return text;
    const { code, message } = target.parseError(text, response.status);
    throw new ApiError(code, message, response.status, target.operation, response.headers.get("x-amzn-requestid") ?? undefined);
  }
}

function parseJsonError(text: string, status: number): { code: string; message: string } {
  try {
    const body = JSON.parse(text) as { __type?: string; message?: string; Message?: string };
    const type = body.__type ?? "";
    return {
      code: type.split("#").pop()?.split(":")[0] || `HTTP${status}`,
      message: body.message ?? body.Message ?? "",
    };
  } catch {
    return { code: `HTTP${status}`, message: `The server answered with status ${status}.` };
  }
}

/** AWS JSON 1.1, as ECR and KMS speak it. */
export async function callJson(
  client: Client,
  service: "ecr" | "kms",
  prefix: string,
  operation: string,
  input: object,
  signal?: AbortSignal,
): Promise<unknown> {
  const text = await client.send(
    {
      service,
      operation,
      contentType: "application/x-amz-json-1.1",
      headers: { "x-amz-target": `${prefix}.${operation}` },
      body: JSON.stringify(input),
      parseError: parseJsonError,
    },
    signal,
  );
  return text ? JSON.parse(text) : {};
}

function parseXmlError(text: string, status: number): { code: string; message: string } {
  const xml = new DOMParser().parseFromString(text, "application/xml");
  return {
    code: xml.getElementsByTagName("Code")[0]?.textContent || `HTTP${status}`,
    message: xml.getElementsByTagName("Message")[0]?.textContent ?? `The server answered with status ${status}.`,
  };
}

/** AWS query protocol, as STS and IAM speak it. The answer as an XML document. */
export async function callQuery(
  client: Client,
  service: "sts" | "iam",
  version: string,
  operation: string,
  input: Record<string, string | number | boolean | undefined>,
  signal?: AbortSignal,
): Promise<Document> {
  const form = new URLSearchParams({ Action: operation, Version: version });
  for (const [k, v] of Object.entries(input)) if (v !== undefined) form.set(k, String(v));
  const text = await client.send(
    {
      service,
      operation,
      contentType: "application/x-www-form-urlencoded; charset=utf-8",
      body: form.toString(),
      parseError: parseXmlError,
    },
    signal,
  );
  return new DOMParser().parseFromString(text, "application/xml");
}
