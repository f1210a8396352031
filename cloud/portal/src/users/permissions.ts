/** What a user may do, in words. */

export const PERMISSIONS = [
  { value: "LocalDialing", label: "Local calls" },
  { value: "LongDistanceDialing", label: "Long-distance calls" },
  { value: "InternationalDialing", label: "International calls" },
  { value: "Mobile", label: "Calls to mobiles" },
  { value: "TollFree", label: "Toll-free calls" },
  { value: "CallPickup", label: "Picking up anybody's calls" },
  { value: "Intercom", label: "Intercom: phones answer by themselves" },
  { value: "HotDesking", label: "Logging in at others' phones" },
  { value: "Voicemail", label: "Voicemail" },
  { value: "RecordCalls", label: "Recording own calls" },
  { value: "RecordSystemPrompts", label: "Recording the greetings of attendants by telephone" },
  { value: "SuperAdmin", label: "Site administration (sees where others are registered)" },
  { value: "EchoTest", label: "Echo test (*99)" },
] as const;

/** What the API gives every new user unless somebody says otherwise. */
export const USUAL = ["CallPickup", "EchoTest", "Intercom", "LocalDialing", "Voicemail"];
