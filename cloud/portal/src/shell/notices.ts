/** Short notices of what was done, and of what could not be. */
import { notifications } from "@mantine/notifications";

export function tellDone(message: string): void {
  notifications.show({ message, color: "petrol", autoClose: 3500 });
}

export function tellProblem(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  notifications.show({ title: "That did not work", message, color: "red", autoClose: 8000 });
}
