// Run in a page by drawing.py: how many frames a second are drawn, by an empty page and by the monitor under load.
({
  empty: seconds =>
    new Promise(done => {
      let frames = 0;
      let begin = 0;
      const frame = t => {
        begin ||= t;
        if (t - begin >= seconds * 1000) return done((frames / (t - begin)) * 1000);
        frames++;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    }),

  monitor: async ([code, message, history, seconds]) => {
    const bytes = Uint8Array.from(atob(history), c => c.charCodeAt(0));
    const module = (await import(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })))).default();
    const error = { what: 'There is no kernel.', cause: '', fix: '' };
    let receive;
    const model = {
      get: name => (name === 'snapshot' ? message : name === 'packed' ? new DataView(bytes.buffer) : ''),
      send: said => setTimeout(() => receive({ kind: 'reply', id: said.id, error }, [])),
      on: (_, handler) => (receive = handler),
      off: () => {}
    };
    module.initialize({ model });
    module.render({ model, el: document.body });

    // a frame counts when the chart was stroked in it
    const stroke = CanvasRenderingContext2D.prototype.stroke;
    let strokes = 0;
    CanvasRenderingContext2D.prototype.stroke = function (...given) {
      strokes++;
      return stroke.apply(this, given);
    };
    let count = message.count;
    let frames = 0;
    let seen = 0;
    let begin = 0;
    const row = () => new Float64Array(message.names.map(n => (n === 'step' || n === 'time' ? count + 1 : 0.5 + 0.1 * Math.sin(count))));
    return new Promise(done => {
      const frame = t => {
        begin ||= t;
        if (strokes > seen) {
          frames++;
          seen = strokes;
        }
        if (t - begin >= seconds * 1000) return done((frames / (t - begin)) * 1000);
        receive({ ...message, kind: 'update', from: count, count: 1, log: '' }, [new DataView(row().buffer)]);
        count++;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
  }
});
