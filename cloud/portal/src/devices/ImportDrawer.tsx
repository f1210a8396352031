/** Many devices from a list: read it, see what would be made or every problem by line and column, then make them. */
import { Alert, Button, Drawer, FileButton, Group, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError, unreachable } from "../api/problem";
import type { DevicesMade, ListedDevice, Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { saveText } from "../shell/DownloadText";
import { tellDone, tellProblem } from "../shell/notices";
import { problemsOf, type ListProblem } from "./listProblems";
import { showMac } from "./mac";

const TEMPLATE = "mac,model,name,users\r\n80:5e:c0:00:02:00,yealink/t54w,Reception,200\r\n80:5e:c0:00:02:01,,Hall,\r\n";
const MAX_BYTES = 1_000_000;
const CSV = "text/csv";

export function ImportDrawer({ site, onClose }: { site: Site; onClose: () => void }) {
  const [csv, setCsv] = useState("");
  const [running, setRunning] = useState<"check" | "make" | null>(null);
  const [checked, setChecked] = useState<DevicesMade | null>(null);
  const [problem, setProblem] = useState<ProblemError | null>(null);
  const write = (text: string) => {
    setCsv(text);
    setChecked(null);
    setProblem(null);
  };
  const read = (file: File | null) => {
    if (file === null) return;
    if (file.size > MAX_BYTES) tellProblem(new Error(`${file.name} is larger than ${MAX_BYTES / 1_000_000} MB`));
    else file.text().then(write, tellProblem);
  };
  const send = async (only_check: boolean) => {
    setRunning(only_check ? "check" : "make");
    setProblem(null);
    try {
      const params = { path: { site_id: site.id } };
      const done = await bodyOf(api.POST("/sites/{site_id}/device-import", { params, body: { csv, only_check } }));
      setChecked(done);
      if (!only_check) {
        await refresh(["devices", site.id], ["unknown-phones", site.id]);
        tellDone(`${done.created} devices were created`);
        onClose();
      }
    } catch (error) {
      setChecked(null);
      setProblem(error instanceof ProblemError ? error : unreachable());
    } finally {
      setRunning(null);
    }
  };
  const current = async () => {
    const list = await bodyOf(api.GET("/sites/{site_id}/device-list", { params: { path: { site_id: site.id } } }));
    saveText(`${site.name} devices.csv`, list.csv, CSV);
  };
  return (
    <Drawer
      opened
      onClose={onClose}
      title="Import devices"
      position="right"
      size="xl"
      closeOnClickOutside={csv === ""}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack gap="md">
        <Text>
          A list with a first line that names its columns: <span className="mono">mac</span>, and any of{" "}
          <span className="mono">model</span>, <span className="mono">name</span> and <span className="mono">users</span>{" "}
          (user names or extensions, a space between two). A device without a model waits for its phone to say what it is.
          Either all are made or none.
        </Text>
        <Group gap="xs">
          <FileButton onChange={read} accept=".csv,text/csv,text/plain">
            {(props) => <Button {...props}>Choose a file</Button>}
          </FileButton>
          <Button variant="default" onClick={() => saveText("devices.csv", TEMPLATE, CSV)}>
            Download a template
          </Button>
          <Button variant="default" onClick={() => void current().catch(tellProblem)}>
            Download the current list
          </Button>
        </Group>
        <Textarea
          label="List"
          description="As it was read; what is wrong can be mended here"
          classNames={{ input: "mono" }}
          autosize
          minRows={6}
          maxRows={14}
          spellCheck={false}
          value={csv}
          onChange={(event) => write(event.currentTarget.value)}
        />
        {problem ? <Problems problem={problem} /> : null}
        {checked ? <Preview made={checked} /> : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          {checked ? (
            <Button onClick={() => void send(false)} loading={running === "make"}>
              Create {checked.created} devices
            </Button>
          ) : (
            <Button onClick={() => void send(true)} loading={running === "check"} disabled={csv.trim() === ""}>
              Check the list
            </Button>
          )}
        </Group>
      </Stack>
    </Drawer>
  );
}

const PROBLEM_COLUMNS: Column<ListProblem>[] = [
  { title: "Line", cell: (one) => one.line },
  { title: "Column", cell: (one) => <span className="mono">{one.column}</span> },
  { title: "Problem", cell: (one) => one.message },
];

function Problems({ problem }: { problem: ProblemError }) {
  const found = problemsOf(problem.fields);
  return (
    <>
      <Alert color="red" role="alert" title="Nothing was made">
        {found.length === 0 ? problem.message : `${found.length} problems have to be mended first.`}
      </Alert>
      {found.length > 0 ? (
        <DataTable label="Problems" columns={PROBLEM_COLUMNS} rows={found} rowKey={(one) => `${one.line}.${one.column}`} />
      ) : null}
    </>
  );
}

const ROW_COLUMNS: Column<ListedDevice>[] = [
  { title: "Line", cell: (row) => row.line },
  { title: "MAC address", cell: (row) => <span className="mono">{showMac(row.mac)}</span> },
  { title: "Model", cell: (row) => (row.model === "announced/any" ? "as the phone says" : row.model) },
  { title: "Name", cell: (row) => row.name },
  { title: "Users", cell: (row) => row.users.join(", ") },
];
const SHOWN = 50;

function Preview({ made }: { made: DevicesMade }) {
  const waiting = made.announced > 0 ? `, ${made.announced} of them once their phones say what they are` : "";
  return (
    <>
      <Alert color="green" role="status" title="The list can be taken">
        {`${made.created} devices would be created${waiting}.`}
        {made.rows.length > SHOWN ? ` The first ${SHOWN}:` : ""}
      </Alert>
      <DataTable label="To be created" columns={ROW_COLUMNS} rows={made.rows.slice(0, SHOWN)} rowKey={(row) => row.line} />
    </>
  );
}
