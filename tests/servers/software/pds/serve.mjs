// A PDS and its directory (PLC, kept in memory) on loopback, with one account.
// Its settings come as JSON in the environment variable SETTINGS; it prints the account as one
// line of JSON when it is ready.
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const settings = JSON.parse(process.env.SETTINGS)
const require = createRequire(path.join(settings.packages, 'any.js'))
const { PDS, envToCfg, envToSecrets, readEnv } = await import(
  pathToFileURL(require.resolve('@atproto/pds')))
const plc = require('@did-plc/server')

const secret = () => crypto.randomBytes(32).toString('hex')
const blobs = path.join(settings.data, 'blobs')
fs.mkdirSync(blobs, { recursive: true })
await plc.PlcServer.create({ db: plc.Database.mock(), port: settings.directory_port }).start()
Object.assign(process.env, {
  PDS_PORT: String(settings.port),
  PDS_HOSTNAME: 'localhost',
  PDS_DEV_MODE: 'true',
  PDS_DATA_DIRECTORY: settings.data,
  PDS_BLOBSTORE_DISK_LOCATION: blobs,
  PDS_DID_PLC_URL: `http://localhost:${settings.directory_port}`,
  PDS_DISABLE_SSRF_PROTECTION: 'true', // its directory is on loopback
  PDS_INVITE_REQUIRED: 'false',
  PDS_SERVICE_HANDLE_DOMAINS: '.test',
  PDS_RATE_LIMITS_ENABLED: 'false',
  PDS_JWT_SECRET: secret(),
  PDS_DPOP_SECRET: secret(),
  PDS_ADMIN_PASSWORD: secret(),
  PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: secret(),
  PDS_BSKY_APP_VIEW_URL: 'http://localhost:9', // nobody is there
  PDS_BSKY_APP_VIEW_DID: 'did:web:localhost',
})
const environment = readEnv()
const server = await PDS.create(envToCfg(environment), envToSecrets(environment))
await server.start()

const ask = async (name, body, token) => {
  const answer = await fetch(`http://localhost:${settings.port}/xrpc/com.atproto.server.${name}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
const account = await ask('createAccount', {
  handle: 'desk.test', email: 'desk@example.org', password: secret(),
})
const password = await ask('createAppPassword', { name: 'desk' }, account.accessJwt)
fs.writeFileSync(settings.account, JSON.stringify({
  handle: account.handle, did: account.did, app_password: password.password,
}))
