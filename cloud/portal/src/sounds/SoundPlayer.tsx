/** Plays a sound file of the list. */
import { Alert, Progress } from "@mantine/core";

import { api, bodyOf } from "../api/client";
import { useListening } from "../messages/useListening";

export function SoundPlayer({ soundId, name }: { soundId: string; name: string }) {
  const { listening, problem } = useListening(soundId, () =>
    bodyOf(api.POST("/sounds/{sound_id}/listening", { params: { path: { sound_id: soundId } } })),
  );
  if (problem) {
    return (
      <Alert color="red" role="alert">
        {problem}
      </Alert>
    );
  }
  if (!listening) return <Progress value={100} animated aria-label={`Loading ${name}`} />;
  return <audio className="sound-player" controls autoPlay src={listening.url} aria-label={`Playing ${name}`} />;
}
