// Text that can be copied. navigator.clipboard is withheld from plain http beyond localhost, so there is an older way behind it.

import Button from "@cloudscape-design/components/button";
import { useRef, useState } from "react";

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.className = "off-screen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [state, setState] = useState<"" | "done" | "failed">("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const onClick = async () => {
    setState((await copy(text)) ? "done" : "failed");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setState(""), 3000);
  };
  return (
    <>
      <Button
        variant="inline-icon"
        iconName={state === "done" ? "status-positive" : state === "failed" ? "status-negative" : "copy"}
        ariaLabel={`Copy ${what}`}
        onClick={() => void onClick()}
      />
      <span className="off-screen" role="status">
        {state === "done" ? "Copied" : state === "failed" ? "Your browser does not let this page copy" : ""}
      </span>
    </>
  );
}

/** Text with a button that copies it, or other text that stands for it. */
export function Copyable({ text, shown, what }: { text: string; shown?: string; what: string }) {
  return (
    <span className="copyable">
      <span className="copyable-text" title={shown ? text : undefined}>
        {shown ?? text}
      </span>{" "}
      <CopyButton text={text} what={what} />
    </span>
  );
}

export function Command({ text, what }: { text: string; what: string }) {
  return (
    <div className="command">
      <pre tabIndex={0} aria-label={what}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} what={what} />
    </div>
  );
}
