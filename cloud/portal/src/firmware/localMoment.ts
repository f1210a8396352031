/** Moments as a datetime-local input has them: the browser's own time, without a zone. */

/** Such as `2030-01-31T22:00`. */
export function localInput(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
  return `${day}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

/** In UTC, as the API takes it; what is no moment is sent as it is, so that the API says what is wrong. */
export function momentOf(text: string): string {
  const moment = new Date(text);
  return Number.isNaN(moment.getTime()) ? text : moment.toISOString();
}
