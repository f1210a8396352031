// Sends a browser that asks for a page to the portal's index; every other request goes on to the API.
import cf from "cloudfront";

var PROGRAMS = ["/openapi.json", "/health", "/ca.pem"];

function handler(event) {
  var request = event.request;
  var accept = request.headers.accept ? request.headers.accept.value : "";
  var reads = request.method === "GET" || request.method === "HEAD";
  if (reads && accept.indexOf("text/html") !== -1 && PROGRAMS.indexOf(request.uri) === -1) {
    request.uri = "/index.html";
    cf.selectRequestOriginById("portal");
  }
  // The gateway gives bytes only to who asks for them, and a browser's player asks for anything.
  if (request.uri.indexOf("/listening/") === 0) request.headers.accept = { value: "audio/wav" };
  return request;
}
