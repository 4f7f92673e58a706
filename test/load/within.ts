/** Waits for a promise, but not longer than some seconds, and leaves no timer behind. */
export async function within<T>(
  seconds: number,
  waiting: Promise<T>,
  complaint = (): string => `nothing came of it in ${seconds} s`,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint())), seconds * 1000);
  });
  try {
    return await Promise.race([waiting, late]);
  } finally {
    clearTimeout(timer);
  }
}
