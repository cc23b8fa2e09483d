// The first page: an access key, or a link from the server.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";
import { useEffect, useRef, useState } from "react";
import { homeRegion, signIn, signInByLink, signInFailure, type Session } from "./session";
import { TopBar } from "./shell";

interface Props {
  /** Why the user is here again. */
  message?: string;
  /** The token of a link, if one was followed. */
  link?: string;
  /** Somebody is signed in already, and stays so. */
  back?: { name: string; go(): void };
  onSession(session: Session): void;
}

export function SignIn({ message, link, back, onSession }: Props) {
  const [keyId, setKeyId] = useState("");
  const [secret, setSecret] = useState("");
  const [token, setToken] = useState("");
  const [region, setRegion] = useState("");
  const [busy, setBusy] = useState(Boolean(link));
  const [failure, setFailure] = useState("");
  const [tried, setTried] = useState(false);
  const redeemed = useRef(false);

  useEffect(() => {
    document.title = "Sign in | Berth";
    void homeRegion().then((home) => setRegion((r) => r || home));
    if (link && !redeemed.current) {
      redeemed.current = true;
      signInByLink(link).then(onSession, (e) => {
        setFailure(signInFailure(e));
        setBusy(false);
      });
    }
    // Once: a link is good once.
    // eslint-disable-next-line
  }, []);

  const submit = async () => {
    setTried(true);
    if (!keyId || !secret || !region) return;
    setBusy(true);
    setFailure("");
    try {
      onSession(await signIn({ accessKeyId: keyId, secretAccessKey: secret, sessionToken: token || undefined }, region));
    } catch (e) {
      setFailure(signInFailure(e));
      setBusy(false);
    }
  };

  return (
    <>
      <TopBar />
      <main className="sign-in">
        <Box variant="h1" fontSize="display-l" fontWeight="bold" textAlign="center" margin={{ bottom: "l" }}>
          Berth console
        </Box>
        <SpaceBetween size="m">
          {message && (
            <Alert type="info" header="Please sign in again">
              {message}
            </Alert>
          )}
          {failure && (
            <div role="alert">
              <Alert type="error" header="You are not signed in">
                {failure}
              </Alert>
            </div>
          )}
          <form
            onSubmit={(e) => {
              e.preventDefault();
              void submit();
            }}
          >
            <Container header={<Header variant="h2">Sign in with an access key</Header>}>
              <Form
                actions={
                  <SpaceBetween direction="horizontal" size="xs">
                    {back && (
                      <Button variant="link" formAction="none" onClick={back.go}>
                        Back to {back.name}
                      </Button>
                    )}
                    <Button variant="primary" loading={busy} loadingText="Signing in" fullWidth={false}>
                      Sign in
                    </Button>
                  </SpaceBetween>
                }
              >
                <SpaceBetween size="m">
                  <FormField label="Access key ID" errorText={tried && !keyId && "Enter the access key ID."}>
                    <Input
                      value={keyId}
                      onChange={({ detail }) => setKeyId(detail.value.trim())}
                      placeholder="AKIA…"
                      name="access-key-id"
                      autoComplete="username"
                      spellcheck={false}
                      autoFocus
                    />
                  </FormField>
                  <FormField label="Secret access key" errorText={tried && !secret && "Enter the secret access key."}>
                    <Input
                      type="password"
                      value={secret}
                      onChange={({ detail }) => setSecret(detail.value.trim())}
                      name="secret-access-key"
                      autoComplete="current-password"
                    />
                  </FormField>
                  <FormField label="Region" errorText={tried && !region && "Enter a Region."}>
                    <Input value={region} onChange={({ detail }) => setRegion(detail.value.trim())} placeholder="eu-west-1" spellcheck={false} />
                  </FormField>
                  <ExpandableSection headerText="Temporary credentials">
                    <FormField label="Session token" description="Only for temporary credentials, whose access key ID begins with ASIA.">
                      <Textarea value={token} onChange={({ detail }) => setToken(detail.value.trim())} rows={3} spellcheck={false} />
                    </FormField>
                  </ExpandableSection>
                </SpaceBetween>
              </Form>
            </Container>
          </form>
          <Container header={<Header variant="h2">Or with a link</Header>}>
            <SpaceBetween size="xs">
              <Box variant="p">
                On the server, <Box variant="code">berth console</Box> prints a link that signs in once, within five minutes.
              </Box>
              <Box variant="p" color="text-body-secondary">
                The first access key is in the file <Box variant="code">credentials</Box> of the data folder. Keys stay in this tab&apos;s memory:
                loading the page again signs out.
              </Box>
            </SpaceBetween>
          </Container>
        </SpaceBetween>
      </main>
    </>
  );
}
