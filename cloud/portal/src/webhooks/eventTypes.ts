/** The events that a webhook can tell, in words. */
import type { WebhookEventType } from "../api/types";

export const EVENT_TYPES: Record<WebhookEventType, string> = {
  "edge.online": "Edge online",
  "edge.offline": "Edge offline",
  "emergency.called": "Emergency call",
  "phone.registered": "Phone registered",
  "phone.firmware": "Phone has new firmware, or failed to",
  "phone.unregistered": "Phone unregistered",
  "call.ended": "Call ended",
  "queue.answered": "Caller of a queue answered, and over",
  "queue.abandoned": "Caller of a queue hung up",
  "queue.overflowed": "Caller of a queue sent on",
  "queue.called_back": "Caller of a queue called back, and over",
  "alarm.raised": "Alarm raised",
  "alarm.cleared": "Alarm cleared",
  "voicemail.left": "Voicemail left",
  "voicemail.heard": "Voicemail heard",
  "voicemail.moved": "Voicemail moved to another folder",
  "voicemail.deleted": "Voicemail deleted",
  "voicemail.undeleted": "Voicemail taken back",
  "voicemail.gone": "Voicemail gone for good",
};
