"""What a leg of the embedded engine costs, and how late its ticks come beside a process that only ticks."""
