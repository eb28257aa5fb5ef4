/** The message of a topic that a schedule lives with: when it is removed, the schedule is deleted. */
export interface ScheduleCarrier {
  readonly partition: number;
  readonly offset: number;
}
