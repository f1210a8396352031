/** How the portal looks: one calm accent, small radii, dense tables; light and dark. */
import { Badge, Button, Modal, NavLink, Table, createTheme, type MantineColorsTuple } from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e8f6f7",
  "#d5e9eb",
  "#abd2d6",
  "#7ebac0",
  "#59a6ae",
  "#41999f",
  "#30939b",
  "#1f7f88",
  "#0f6b75",
  "#055c66",
];

export const theme = createTheme({
  primaryColor: "petrol",
  primaryShade: { light: 8, dark: 7 },
  colors: { petrol },
  defaultRadius: "sm",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: "0.75rem", sm: "0.86rem", md: "0.95rem", lg: "1.08rem", xl: "1.25rem" },
  headings: { fontWeight: "620", sizes: { h1: { fontSize: "1.45rem" }, h2: { fontSize: "1.1rem" } } },
  cursorType: "pointer",
  components: {
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 550 } }),
    Button: Button.extend({ defaultProps: { fw: 560 } }),
    Modal: Modal.extend({ defaultProps: { centered: true, closeButtonProps: { "aria-label": "Close" } } }),
    NavLink: NavLink.extend({ defaultProps: { variant: "light" } }),
    Table: Table.extend({ defaultProps: { verticalSpacing: 8, horizontalSpacing: "sm", highlightOnHover: true } }),
  },
});
