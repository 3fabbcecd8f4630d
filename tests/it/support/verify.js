// Verifies requests by the reference library of Standard Webhooks for JavaScript, and ed25519, which
// it does not know, by Node's own cryptography.
//
// Reads a JSON list of {"key", "id", "timestamp", "signature", "body"} and writes one line for each:
// "ok", or why it is refused.
"use strict";

const crypto = require("crypto");
const { Webhook } = require("standardwebhooks");

// RFC 8410: what stands before the 32 bytes of a public key.
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

function verifyEd25519({ key, id, timestamp, signature, body }) {
    const raw = Buffer.from(key.slice("whpk_".length), "base64");
    const publicKey = crypto.createPublicKey({
        key: Buffer.concat([SPKI, raw]), format: "der", type: "spki",
    });
    const signed = Buffer.from(`${id}.${timestamp}.${body}`);
    const ours = signature.split(" ").filter((one) => one.startsWith("v1a,"));
    const matches = (one) => crypto.verify(null, signed, publicKey, Buffer.from(one.slice(4), "base64"));
    if (!ours.some(matches)) throw new Error("no matching signature");
}

function verifyHmac({ key, id, timestamp, signature, body }) {
    new Webhook(key).verify(body, {
        "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature,
    });
}

const requests = JSON.parse(require("fs").readFileSync(0, "utf8"));
for (const one of requests) {
    try {
        (one.key.startsWith("whpk_") ? verifyEd25519 : verifyHmac)(one);
        console.log("ok");
    } catch (error) {
        console.log(`${error.constructor.name}: ${error.message}`);
    }
}
