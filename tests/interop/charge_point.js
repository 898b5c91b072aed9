// A Charge Point with one connector, played through em-ocpp-chargepoint-simulator.
//
//   node charge_point.js ws://127.0.0.1:9000/CP1
//
// The first line it prints is the port of its control connection on 127.0.0.1. That takes what hands do at it, one
// {"action", "payload"} per line, and answers {"answer": "done" | "cannot" | "failed", "words"} to each: the action has
// been begun then, and what the Charge Point makes of it is seen on the wire.
//
// The package answers only what is scripted below and is silent about anything else; it knows no CALLERROR. Of its own,
// this Charge Point lacks keys that chapter 9 of OCPP 1.6 requires, takes any value for a key, sends no MeterValues,
// keeps nothing for the time after a lost connection, and forgets in a power cut that a connector is Unavailable and
// that a transaction was running.
'use strict';

const net = require('node:net');
const readline = require('node:readline');
const { setTimeout: pause } = require('node:timers/promises');
// The package's main module opens a web server; this one is the Charge Point alone.
const { chargepointFactory } = require('em-ocpp-chargepoint-simulator/build/src/chargepoint.js');

const url = process.argv[2];
const FIXED = ['GetConfigurationMaxKeys', 'NumberOfConnectors', 'SupportedFeatureProfiles'];
const configuration = {
  AuthorizeRemoteTxRequests: 'true',
  ConnectionTimeOut: '5',
  GetConfigurationMaxKeys: '20',
  HeartbeatInterval: '300',
  LocalPreAuthorize: 'false',
  MeterValueSampleInterval: '60',
  NumberOfConnectors: '1',
  StopTransactionOnEVSideDisconnect: 'true',
  SupportedFeatureProfiles: 'Core',
  UnlockConnectorOnEVSideDisconnect: 'true',
};

let wire; // the present connection
let queue; // its calls, one after the other: the package would send them all at once
let heartbeat;
let plugged = false;
let operative = true;
let idTag; // authorized, and waiting for the cable
let patience; // for how long
let transaction;

const now = () => new Date().toISOString();
const begin = (work) => work.catch((error) => console.error(String(error)));

function call(method, payload) {
  const sent = queue.then(() => wire[method](payload));
  queue = sent.catch(() => {});
  return sent;
}

const report = (connectorId, status, errorCode = 'NoError') =>
  call('sendStatusNotification', { connectorId, errorCode, status, timestamp: now() });

const reportIdle = () => report(1, !operative ? 'Unavailable' : plugged ? 'Preparing' : 'Available');

async function connect() {
  for (;;) {
    try {
      return await chargepointFactory(url);
    } catch { // nobody listens yet
      await pause(200);
    }
  }
}

// A connection that is lost is sought again. What was to be sent without one is lost: the package drops it.
async function attach() {
  const mine = await connect();
  wire = mine;
  queue = Promise.resolve();
  mine.onClose(() => wire === mine && begin(attach()));
  for (const [action, reply] of Object.entries(replies)) {
    const cb = (request) => {
      const [payload, afterwards] = reply(request.payload);
      mine.sendResponse(request.uniqueId, payload);
      if (afterwards) begin(afterwards());
    };
    mine.registeredCallbacks.set(action, { cb });
  }
  return mine;
}

async function boot() {
  const mine = await attach();
  const identity = { chargePointVendor: 'Elsewhere', chargePointModel: 'Stranger' };
  let answer = await call('sendBootnotification', identity);
  while (answer.status !== 'Accepted') {
    await pause(answer.interval * 1000);
    if (wire !== mine) return; // restarted meanwhile
    answer = await call('sendBootnotification', identity);
  }
  configuration.HeartbeatInterval = String(answer.interval);
  beatRegularly();
  await report(0, 'Available');
  await reportIdle();
}

function beatRegularly() {
  clearInterval(heartbeat);
  heartbeat = setInterval(() => begin(call('sendHeartbeat')), Number(configuration.HeartbeatInterval) * 1000);
}

async function losePower() {
  clearInterval(heartbeat);
  forgetIdTag();
  transaction = undefined;
  operative = true;
  const mine = wire;
  wire = undefined;
  const closed = new Promise((close) => mine.onClose(close));
  mine.close();
  await Promise.race([closed, pause(200)]); // it may have been closed before
}

async function restart() {
  await losePower();
  return boot();
}

function forgetIdTag() {
  clearTimeout(patience);
  idTag = undefined;
}

async function authorize(presented) {
  const { idTagInfo } = await call('sendAuthorize', { idTag: presented });
  if (idTagInfo.status === 'Accepted') await admit(presented);
}

async function admit(admitted) {
  idTag = admitted;
  if (plugged) return start();
  patience = setTimeout(() => {
    forgetIdTag();
    begin(reportIdle());
  }, Number(configuration.ConnectionTimeOut) * 1000);
  return report(1, 'Preparing');
}

async function start() {
  const mine = { idTag };
  transaction = mine;
  forgetIdTag();
  const begun = { connectorId: 1, idTag: mine.idTag, meterStart: 1000, timestamp: now() };
  const { transactionId, idTagInfo } = await call('startTransaction', begun);
  mine.transactionId = transactionId;
  if (idTagInfo.status !== 'Accepted') return stop('DeAuthorized');
  return report(1, 'Charging');
}

async function stop(reason, presented) {
  const { transactionId } = transaction;
  transaction = undefined;
  const by = presented && { idTag: presented };
  await call('stopTransaction', { transactionId, meterStop: 1010, timestamp: now(), reason, ...by });
  return plugged ? report(1, 'Finishing') : reportIdle();
}

const hands = {
  async plug_in() {
    plugged = true;
    return idTag ? start() : reportIdle();
  },
  async unplug() {
    plugged = false;
    return transaction ? stop('EVDisconnected') : reportIdle();
  },
  unplug_ev_side: async () => transaction && stop('EVDisconnected'),
  async present({ idTag: presented }) {
    if (!transaction) return authorize(presented);
    return transaction.idTag === presented && stop('Local', presented);
  },
  fail: ({ connectorId, errorCode }) => report(connectorId, 'Faulted', errorCode),
  repair: ({ connectorId }) => (connectorId ? reportIdle() : report(0, 'Available')),
  lose_power: losePower,
  regain_power: boot,
  restart,
};

// What each request is answered, and what is done once it is.
const replies = {
  RemoteStartTransaction(request) {
    if (transaction || idTag || !operative) return [{ status: 'Rejected' }];
    const ask = configuration.AuthorizeRemoteTxRequests === 'true';
    return [{ status: 'Accepted' }, () => (ask ? authorize : admit)(request.idTag)];
  },
  RemoteStopTransaction({ transactionId }) {
    if (!transaction || transaction.transactionId !== transactionId) return [{ status: 'Rejected' }];
    return [{ status: 'Accepted' }, () => stop('Remote')];
  },
  GetConfiguration({ key: keys = [] }) {
    const wanted = keys.length ? keys : Object.keys(configuration);
    const known = wanted.filter((key) => key in configuration);
    const unknownKey = wanted.filter((key) => !known.includes(key));
    const configurationKey = known.map((key) => ({ key, readonly: FIXED.includes(key), value: configuration[key] }));
    return [{ configurationKey, unknownKey }];
  },
  ChangeConfiguration({ key, value }) {
    if (!(key in configuration)) return [{ status: 'NotSupported' }];
    if (FIXED.includes(key)) return [{ status: 'Rejected' }];
    configuration[key] = value;
    if (key === 'HeartbeatInterval') beatRegularly();
    return [{ status: 'Accepted' }];
  },
  ChangeAvailability({ connectorId, type }) {
    if (transaction || connectorId > 1) return [{ status: 'Rejected' }];
    operative = type === 'Operative';
    return [{ status: 'Accepted' }, reportIdle];
  },
  Reset({ type }) { // a soft one leaves the connection as it is
    if (type === 'Hard') return [{ status: 'Accepted' }, restart];
    return [{ status: 'Accepted' }, async () => transaction && stop('SoftReset')];
  },
};

function handle({ action, payload }) {
  if (!(action in hands)) return { answer: 'cannot', words: `nobody can ${action} at this Charge Point` };
  if (!wire && action !== 'regain_power') return { answer: 'failed', words: 'the Charge Point is not connected' };
  begin(hands[action](payload));
  return { answer: 'done', words: '' };
}

const control = net.createServer((socket) => {
  readline.createInterface({ input: socket })
    .on('line', (line) => socket.write(`${JSON.stringify(handle(JSON.parse(line)))}\n`));
});
control.listen(0, '127.0.0.1', () => {
  console.log(control.address().port);
  begin(boot());
});
