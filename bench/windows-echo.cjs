// The echo server of windows-calls.mjs, in node.exe: node windows-echo.cjs MODULE PORT SECONDS
'use strict';

const net = require(process.argv[2]);

function onData(chunk) {
  if (!this.write(chunk)) this.pause();
}
function onDrain() {
  this.resume();
}

net
  .createServer({ noDelay: true }, (socket) => {
    socket
      .on('error', () => {})
      .on('data', onData)
      .on('drain', onDrain);
  })
  .listen(Number(process.argv[3]), '127.0.0.1');
setTimeout(() => process.exit(), Number(process.argv[4]) * 1000);
