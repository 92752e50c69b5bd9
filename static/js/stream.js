// One WebSocket per page, speaking desk.v1: subscriptions, resynchronisation, resume after the last event, staleness.

const STALE_AFTER = 3000;
const RECONNECT_AFTER = 5000;
const LONGEST_PAUSE = 15000;
const SIGN_IN_AGAIN = new Set([4001, 4004]);
const GIVE_UP = new Set([4000, 4003, 4009]);
const PING_EVERY = 8;
const ENGINE_SILENT_AFTER = 1500;

export class Stream extends EventTarget {
  constructor(address) {
    super();
    this.address = address;
    this.subscriptions = new Map();
    this.state = "connecting";
    this.engineHeardAt = undefined; // until the first heartbeat; null: the engine was never heard
    this.attempt = 0;
    this.requests = 0;
    this.heartbeats = 0;
    this.heardAt = performance.now();
    setInterval(() => this.watch(), 500);
    document.addEventListener("visibilitychange", () => this.followVisibility());
  }

  // `handler.snapshot(channel, rows)` and `handler.delta(channel, updates, gone)` for STATE channels,
  // `handler.event(channel, body)` and `handler.gap(channel)` for EVENT channels, which resume after `after`.
  subscribe(channel, handler, after = null) {
    const known = this.subscriptions.get(channel);
    if (known) {
      known.handlers.push(handler);
      known.after = after === null ? known.after : Math.min(known.after ?? after, after);
      return;
    }
    this.subscriptions.set(channel, { handlers: [handler], after, seq: null, carriesEvents: "event" in handler });
  }

  connect() {
    const socket = new WebSocket(this.address, ["desk.v1.json"]);
    this.socket = socket;
    this.heardAt = performance.now();
    socket.onmessage = (message) => {
      if (socket === this.socket) this.hear(JSON.parse(message.data));
    };
    socket.onclose = (closing) => {
      if (socket === this.socket) this.lose(closing.code);
    };
  }

  send(operation, body) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.requests += 1;
    this.socket.send(JSON.stringify({ op: operation, id: this.requests, ...body }));
  }

  hear(frame) {
    this.heardAt = performance.now();
    const subscription = this.subscriptions.get(frame.ch);
    switch (frame.t) {
      case "hello":
        this.attempt = 0;
        this.subscribeAll();
        this.become("live");
        break;
      case "snap":
        if (!subscription) break;
        subscription.seq = frame.seq;
        for (const handler of subscription.handlers) handler.snapshot(frame.ch, frame.d);
        break;
      case "delta":
        this.takeDelta(subscription, frame);
        break;
      case "event":
        if (!subscription || (subscription.after !== null && frame.jseq <= subscription.after)) break;
        subscription.after = frame.jseq;
        for (const handler of subscription.handlers) handler.event(frame.ch, frame.d, frame.jseq);
        break;
      case "gap":
        for (const handler of subscription?.handlers ?? []) handler.gap(frame.ch);
        break;
      case "hb":
        this.takeHeartbeat(frame);
        break;
      case "bye":
        this.farewell = frame.code;
        break;
      case "err":
        console.warn(`stream: ${frame.message}`);
        break;
    }
  }

  takeDelta(subscription, frame) {
    if (!subscription || subscription.seq === null) return;
    if (frame.prev !== subscription.seq) {
      subscription.seq = null;
      this.send("resync", { ch: frame.ch });
      return;
    }
    subscription.seq = frame.seq;
    for (const handler of subscription.handlers) handler.delta(frame.ch, frame.d.u, frame.d.x);
  }

  takeHeartbeat(frame) {
    this.engineHeardAt = frame.stale.engine === null ? null : performance.now() - frame.stale.engine;
    this.heartbeats += 1;
    // Answering heartbeats keeps a hidden tab, whose timers are slowed down, from being taken for dead.
    if (this.heartbeats % PING_EVERY === 0) this.send("ping", {});
    this.become(this.engineIsSilent() ? "stale" : "live");
  }

  subscribeAll() {
    for (const [channel, subscription] of this.subscriptions) {
      if (!subscription.carriesEvents && document.hidden) continue;
      const after = subscription.carriesEvents && subscription.after !== null ? { after: subscription.after } : {};
      this.send("sub", { ch: channel, ...after });
    }
  }

  followVisibility() {
    const channels = [...this.subscriptions].filter(([, one]) => !one.carriesEvents).map(([channel]) => channel);
    if (channels.length) this.send(document.hidden ? "unsub" : "sub", { ch: channels });
  }

  lose(code) {
    const reason = this.farewell ?? code;
    this.farewell = undefined;
    this.become("down");
    if (SIGN_IN_AGAIN.has(reason)) {
      window.location.reload();
    } else if (GIVE_UP.has(reason)) {
      this.dispatchEvent(new CustomEvent("ended", { detail: reason }));
    } else {
      const ceiling = Math.min(LONGEST_PAUSE, 250 * 2 ** this.attempt);
      this.attempt += 1;
      setTimeout(() => this.connect(), 250 + Math.random() * ceiling);
    }
  }

  watch() {
    const silence = this.silence();
    if (this.state !== "down" && silence > RECONNECT_AFTER) {
      const socket = this.socket;
      this.socket = null;
      socket?.close();
      this.lose(1006);
    } else if (this.state === "live" && (silence > STALE_AFTER || this.engineIsSilent())) {
      this.become("stale");
    }
    this.dispatchEvent(new Event("tick"));
  }

  silence() {
    return performance.now() - this.heardAt;
  }

  // The last state of an engine that does not answer is history, not its state.
  engineIsSilent() {
    return this.engineHeardAt === null || performance.now() - this.engineHeardAt > ENGINE_SILENT_AFTER;
  }

  // How old the numbers on the page are: the engine's last word, or ours from the server.
  age() {
    return Math.max(this.silence(), performance.now() - (this.engineHeardAt ?? this.heardAt));
  }

  become(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
