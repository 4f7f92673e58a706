/** The classes of traffic that ports can be for. */

/** In the order of their ports. */
export const trafficClasses = ['stream', 'datagram', 'broadcast', 'multicast'] as const;

/**
 * What passes through a port: TCP and local sockets (`'stream'`), or datagram sockets of the class
 * that each has (`docs/dgram.md`).
 */
export type TrafficClass = (typeof trafficClasses)[number];

export type DatagramClass = Exclude<TrafficClass, 'stream'>;
