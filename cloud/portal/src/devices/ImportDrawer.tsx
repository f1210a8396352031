/** Many devices from a list: read it, see what would be made or every problem by line and column, then make them. */
import { Alert, Button, Drawer, FileButton, Group, Progress, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";

import { api, bodyOf } from "../api/client";
import { refresh } from "../api/live";
import { ProblemError, unreachable } from "../api/problem";
import type { DevicesMade, ListedDevice, Site } from "../api/types";
import { DataTable, type Column } from "../shell/DataTable";
import { saveText } from "../shell/DownloadText";
import { tellDone, tellProblem } from "../shell/notices";
import { inWholeList, partsOf } from "./importParts";
import { problemsOf, type ListProblem } from "./listProblems";
import { showMac } from "./mac";

const TEMPLATE = "mac,model,name,users,serial,location\r\n80:5e:c0:00:02:00,yealink/t54w,Reception,200,,\r\n80:5e:c0:00:02:01,,Hall,,,\r\n";
const MAX_BYTES = 1_000_000;
const CSV = "text/csv";

export function ImportDrawer({ site, onClose }: { site: Site; onClose: () => void }) {
  const [csv, setCsv] = useState("");
  const [running, setRunning] = useState<"check" | "make" | null>(null);
  const [checked, setChecked] = useState<DevicesMade | null>(null);
  const [made, setMade] = useState(0);
  const [problem, setProblem] = useState<ListRefused | null>(null);
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
  const post = (text: string, only_check: boolean) => {
    const params = { path: { site_id: site.id } };
    return bodyOf(api.POST("/sites/{site_id}/device-import", { params, body: { csv: text, only_check } }));
  };
  const check = async () => {
    setRunning("check");
    setProblem(null);
    try {
      setChecked(await post(csv, true));
    } catch (error) {
      setProblem(found(error, []));
    } finally {
      setRunning(null);
    }
  };
  const make = async (list: DevicesMade) => {
    setRunning("make");
    let done = 0;
    let rows: readonly ListedDevice[] = [];
    try {
      for (const part of partsOf(list.rows)) {
        rows = part.rows;
        setMade(done);
        await post(part.csv, false);
        done += rows.length;
      }
      tellDone(`${done} devices were created`);
      onClose();
    } catch (error) {
      setChecked(null);
      setProblem({ ...found(error, rows), made: done });
    } finally {
      setRunning(null);
      await refresh(["devices", site.id], ["unknown-phones", site.id]);
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
          <span className="mono">model</span>, <span className="mono">name</span>, <span className="mono">users</span>{" "}
          (user names or extensions, a space between two), <span className="mono">serial</span> and{" "}
          <span className="mono">location</span> (where help is sent to, as the dial plan names it). A device without a
          model waits for its phone to say what it is. The whole list is checked before the first device is made.
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
        {running === "make" && checked ? (
          <div role="status">
            <Text size="sm" mb={4}>
              {`${made.toLocaleString("en")} of ${checked.created.toLocaleString("en")} devices are made`}
            </Text>
            <Progress value={(100 * made) / Math.max(1, checked.created)} aria-label="Devices made" />
          </div>
        ) : null}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          {checked ? (
            <Button onClick={() => void make(checked)} loading={running === "make"}>
              Create {checked.created} devices
            </Button>
          ) : (
            <Button onClick={() => void check()} loading={running === "check"} disabled={csv.trim() === ""}>
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

/** Why a list, or the rest of it, was not taken. */
interface ListRefused {
  message: string;
  problems: ListProblem[];
  /** How many devices were made before. */
  made: number;
}

/** What went wrong with a part of the list; without rows, with all of it. */
function found(error: unknown, rows: readonly ListedDevice[]): ListRefused {
  const problem = error instanceof ProblemError ? error : unreachable();
  const problems = problemsOf(problem.fields);
  return { message: problem.message, problems: rows.length > 0 ? inWholeList(problems, rows) : problems, made: 0 };
}

function Problems({ problem: { message, problems, made } }: { problem: ListRefused }) {
  return (
    <>
      <Alert color="red" role="alert" title={made > 0 ? `${made} devices were made, the rest was not` : "Nothing was made"}>
        {problems.length === 0 ? message : `${problems.length} problems have to be mended first.`}
        {made > 0 ? " Take the lines that were made out of the list, or download the current one." : ""}
      </Alert>
      {problems.length > 0 ? (
        <DataTable label="Problems" columns={PROBLEM_COLUMNS} rows={problems} rowKey={(one) => `${one.line}.${one.column}`} />
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
  { title: "Serial number", cell: (row) => <span className="mono">{row.serial}</span> },
  { title: "Location", cell: (row) => row.location },
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
