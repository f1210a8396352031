/** How far the vendor's redirect service is told of a phone, and telling it again. */
import { Anchor } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import type { Device } from "../api/types";
import { redirectWords } from "../redirects/services";
import { State } from "../shell/State";
import { tellProblem } from "../shell/notices";
import { showMac } from "./mac";

export function RedirectState({ device }: { device: Device }) {
  const [asking, setAsking] = useState(false);
  const redirect = device.redirect;
  if (!redirect) return null;
  const words = redirectWords(redirect);
  const again = async () => {
    setAsking(true);
    try {
      await bodyOf(api.POST("/devices/{device_id}/redirect", { params: { path: { device_id: device.id } } }));
    } catch (error) {
      tellProblem(error);
    } finally {
      await refresh(["devices", device.site_id]);
      setAsking(false);
    }
  };
  const button =
    redirect.state === "failed" && redirect.url ? (
      <Anchor
        component="button"
        type="button"
        size="xs"
        disabled={asking}
        onClick={() => void again()}
        aria-label={`Tell the service of ${showMac(device.mac)} again`}
      >
        Tell again
      </Anchor>
    ) : undefined;
  return <State tone={words.tone} label={words.label} hint={words.hint} detail={button} />;
}
