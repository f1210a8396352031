/** Plays a recording: its waveform is a slider, by pointer and by keys. */
import { ActionIcon, Alert, Group, Progress, Text } from "@mantine/core";
import { useRef, useState, type KeyboardEvent, type PointerEvent } from "react";

import type { Listening } from "../api/types";
import { PauseIcon, PlayIcon } from "../shell/icons";
import { barsOf, lengthText } from "./sound";
import { useListening } from "./useListening";

const STEP_SECONDS = 5;

interface Props {
  /** Names the recording among all: another one is fetched anew. */
  id: string;
  /** Asks to listen to it. */
  begin: () => Promise<Listening>;
  /** Of what is played, for people who do not see it. */
  name: string;
  seconds: number;
  onPlayed?: () => void;
}

export function Player({ id, begin, name, seconds, onPlayed }: Props) {
  const audio = useRef<HTMLAudioElement>(null);
  const { listening, problem, renew } = useListening(id, begin);
  const [failed, setFailed] = useState("");
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const wanted = useRef(false); // somebody wants to hear it; an element that fails pauses of itself
  const retried = useRef(false);

  if (problem || failed) {
    return (
      <Alert color="red" role="alert">
        {problem || failed}
      </Alert>
    );
  }
  if (!listening) return <Progress value={100} animated aria-label={`Loading ${name}`} />;
  const bars = barsOf(listening.peaks ?? null);

  /** Playing that was ended by pausing did not fail, and what the element could not load `goOn` sees to. */
  const tell = (error: unknown) => {
    if ((error instanceof DOMException && error.name === "AbortError") || audio.current?.error) return;
    setFailed(error instanceof Error ? error.message : String(error));
  };
  const seek = (to: number) => {
    const place = Math.min(Math.max(to, 0), seconds);
    if (audio.current) audio.current.currentTime = place;
    setAt(place);
  };
  const toggle = () => {
    if (!audio.current) return;
    wanted.current = !playing;
    if (playing) audio.current.pause();
    else void audio.current.play().catch(tell);
  };
  /** After the machine slept the cookie is over: a new one, and on from here; what fails twice is told. */
  const goOn = async () => {
    const element = audio.current;
    if (!element) return;
    if (retried.current) {
      setFailed("The recording cannot be played; try again later");
      return;
    }
    retried.current = true;
    try {
      await renew();
      const place = element.currentTime; // now, as what is wanted: somebody may have begun or moved on meanwhile
      element.load();
      element.currentTime = place;
      if (wanted.current) await element.play();
    } catch (error) {
      tell(error);
    }
  };
  const byKey = (event: KeyboardEvent) => {
    const places: Record<string, number> = {
      ArrowLeft: at - STEP_SECONDS,
      ArrowDown: at - STEP_SECONDS,
      ArrowRight: at + STEP_SECONDS,
      ArrowUp: at + STEP_SECONDS,
      Home: 0,
      End: seconds,
    };
    const place = places[event.key];
    if (place === undefined && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (place === undefined) toggle();
    else seek(place);
  };
  const byPointer = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    seek(((event.clientX - box.left) / box.width) * seconds);
  };
  return (
    <Group wrap="nowrap" gap="sm">
      <audio
        ref={audio}
        src={listening.url}
        preload="none"
        onError={() => void goOn()}
        onPlay={() => {
          setPlaying(true);
          wanted.current = true;
          onPlayed?.();
        }}
        onCanPlay={() => {
          retried.current = false;
        }}
        onPause={(event) => {
          setPlaying(false);
          if (!event.currentTarget.error) wanted.current = false;
        }}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onEnded={() => setAt(0)}
      />
      <ActionIcon size="lg" radius="xl" onClick={toggle} aria-label={`${playing ? "Pause" : "Play"} ${name}`}>
        {playing ? <PauseIcon size={18} /> : <PlayIcon size={18} />}
      </ActionIcon>
      <svg
        className="waveform"
        viewBox={`0 0 ${bars.length * 3} 40`}
        preserveAspectRatio="none"
        role="slider"
        tabIndex={0}
        aria-label={`Place in ${name}`}
        aria-valuemin={0}
        aria-valuemax={Math.round(seconds)}
        aria-valuenow={Math.round(at)}
        aria-valuetext={`${lengthText(at)} of ${lengthText(seconds)}`}
        onKeyDown={byKey}
        onPointerDown={byPointer}
      >
        {bars.map((peak, place) => {
          const height = Math.max(2, peak * 38);
          const heard = (place / bars.length) * seconds < at;
          return (
            <rect key={place} className={heard ? "heard" : ""} x={place * 3} y={20 - height / 2} width={2} height={height} />
          );
        })}
      </svg>
      <Text size="sm" c="dimmed" className="figures">
        {lengthText(at)} / {lengthText(seconds)}
      </Text>
    </Group>
  );
}
