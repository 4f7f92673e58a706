// The loads. Each prints one JSON object on a line of its own.
#ifndef BENCH_LOAD_MODES_H_
#define BENCH_LOAD_MODES_H_

#include "options.h"

void RunEcho(const Options& options);       // also pipelined, and with quiet or slow ones beside
void RunPaced(const Options& options);      // echo in an open loop, at a fixed rate
void RunStorm(const Options& options);      // newcomers on a server whose other clients are busy
void RunChurn(const Options& options);      // connect, one round trip, close
void RunIdle(const Options& options);       // connections on which nothing happens
void RunReceive(const Options& options);    // bulk, from the server
void RunSend(const Options& options);       // bulk, to the server
void RunDatagrams(const Options& options);  // datagrams that are answered; a peer is a socket
int RunCommand(const Options& options);     // another load generator, with the same readings

#endif  // BENCH_LOAD_MODES_H_
