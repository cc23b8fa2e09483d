// "View push commands": what to type to push an image here.

export interface PushTarget {
  /** account.dkr.ecr.region.domain/name, or host:port/name */
  uri: string;
  region: string;
  /** Where the API listens, as the browser knows it. */
  endpoint: string;
}

export interface Step {
  text: string;
  command: string;
}

export function registryHost(uri: string): string {
  return uri.slice(0, uri.indexOf("/"));
}

export function pushSteps(t: PushTarget): Step[] {
  const host = registryHost(t.uri);
  const image = t.uri.split("/").pop()!;
  return [
    {
      text: "Sign in with Docker. The AWS CLI asks Berth for a password that is good for twelve hours.",
      command: `aws ecr get-login-password --region ${t.region} --endpoint-url ${t.endpoint} | docker login --username AWS --password-stdin ${host}`,
    },
    { text: "Build your image. If it is built already, skip this step.", command: `docker build -t ${image} .` },
    { text: "Tag the image, so that you can push it to this repository.", command: `docker tag ${image}:latest ${t.uri}:latest` },
    { text: "Push it.", command: `docker push ${t.uri}:latest` },
  ];
}

/** The same without a Docker engine. */
export function skopeoSteps(t: PushTarget): Step[] {
  const host = registryHost(t.uri);
  const image = t.uri.split("/").pop()!;
  const plain = t.endpoint.startsWith("http:") ? " --dest-tls-verify=false" : "";
  const login = t.endpoint.startsWith("http:") ? " --tls-verify=false" : "";
  return [
    {
      text: "Sign in.",
      command: `aws ecr get-login-password --region ${t.region} --endpoint-url ${t.endpoint} | skopeo login${login} --username AWS --password-stdin ${host}`,
    },
    { text: "Copy an image from anywhere, for example an OCI layout.", command: `skopeo copy${plain} oci:${image}:latest docker://${t.uri}:latest` },
  ];
}
