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
  "alarm.raised": "Alarm raised",
  "alarm.cleared": "Alarm cleared",
};
